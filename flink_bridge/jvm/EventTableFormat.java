package winevent;

import java.util.Collections;
import java.util.Set;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/** 'format' = 'win-event' of a table in Flink SQL: see EventRows. Columns: STRING, ROW, ARRAY<STRING>. */
public class EventTableFormat implements DeserializationFormatFactory {

    public String factoryIdentifier() {
        return "win-event";
    }

    public Set requiredOptions() {
        return Collections.emptySet();
    }

    public Set optionalOptions() {
        return Collections.emptySet();
    }

    public DecodingFormat createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig options) {
        return new DecodingFormat() {
            public Object createRuntimeDecoder(DynamicTableSource.Context source, DataType columns) {
                return new EventRows((RowType) columns.getLogicalType(), source.createTypeInformation(columns));
            }

            public ChangelogMode getChangelogMode() {
                return ChangelogMode.insertOnly();
            }
        };
    }
}
