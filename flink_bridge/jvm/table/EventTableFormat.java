package winevent;

import java.util.Collections;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
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

    private static final ConfigOption CHECKS = ConfigOptions.key("check").booleanType().defaultValue(Boolean.FALSE);

    public String factoryIdentifier() {
        return "win-event";
    }

    public Set requiredOptions() {
        return Collections.emptySet();
    }

    public Set optionalOptions() {
        return Collections.singleton(CHECKS);
    }

    public DecodingFormat createDecodingFormat(DynamicTableFactory.Context context, ReadableConfig options) {
        final boolean checks = ((Boolean) options.get(CHECKS)).booleanValue();
        return new DecodingFormat() {
            public Object createRuntimeDecoder(DynamicTableSource.Context source, DataType columns) {
                RowType type = (RowType) columns.getLogicalType();
                return new EventRows(type, source.createTypeInformation(columns), checks);
            }

            public ChangelogMode getChangelogMode() {
                return ChangelogMode.insertOnly();
            }
        };
    }
}
