package winevent;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.table.types.logical.RowType;

/**
 * Makes rows of JSON events, see MemberScanner; Flink's format "json" first makes a tree of each event.
 *
 * A record that is not a JSON object is no row; `unreadable` counts these.
 */
public class EventRows implements DeserializationSchema {

    private static final long serialVersionUID = 1L;

    private final RowType type;
    private final TypeInformation produced;
    private transient MemberScanner scanner;
    private transient Counter unreadable;

    public EventRows(RowType type, TypeInformation produced) {
        this.type = type;
        this.produced = produced;
    }

    public void open(DeserializationSchema.InitializationContext context) {
        scanner = new MemberScanner(type);
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
        Object row = scanner.row(record);
        if (row == null) {
            unreadable.inc();
        }
        return row;
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return produced;
    }
}
