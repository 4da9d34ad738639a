package winevent;

import java.io.IOException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.table.types.logical.RowType;

/**
 * Makes rows of JSON events, see MemberScanner; Flink's format "json" first makes a tree of each event.
 *
 * A record that is not a JSON object is no row; `unreadable` counts these. Without `checks`, damage within members that
 * the table does not name is not seen: the bridge writes no such event.
 */
public class EventRows implements DeserializationSchema {

    private static final long serialVersionUID = 1L;

    private final RowType type;
    private final TypeInformation produced;
    private final boolean checks;
    private transient JsonFactory json;
    private transient MemberScanner scanner;
    private transient Counter unreadable;

    public EventRows(RowType type, TypeInformation produced, boolean checks) {
        this.type = type;
        this.produced = produced;
        this.checks = checks;
    }

    public void open(DeserializationSchema.InitializationContext context) {
        scanner = new MemberScanner(type);
        json = new JsonFactory();
        unreadable = new SimpleCounter();
        try {
            unreadable = context.getMetricGroup().counter("unreadable", unreadable);
        } catch (UnsupportedOperationException files) {
            // Flink has no metrics for the readers of files.
        }
    }

    public Object deserialize(byte[] record) {
        if (record == null) {
            return null; // a key without a value
        }
        Object row = checks && !isJson(record) ? null : scanner.row(record);
        if (row == null) {
            unreadable.inc();
        }
        return row;
    }

    private boolean isJson(byte[] record) {
        try {
            JsonParser parser = json.createParser(record);
            try {
                parser.nextToken();
                parser.skipChildren();
                return parser.nextToken() == null;
            } finally {
                parser.close();
            }
        } catch (IOException damaged) {
            return false;
        }
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return produced;
    }
}
