import java.io.IOException;
import org.apache.flink.api.connector.sink2.SinkWriter;

/** Writes and closes through a RecordWriter whose inner writer has failed. */
public class CloseDriver {

    private static class FailedWriter implements SinkWriter {

        public void write(Object record, Context context) throws IOException {
            throw new IOException("no broker for " + record);
        }

        public void flush(boolean atEnd) {
        }

        public void close() {
            throw new IllegalStateException("an earlier failure");
        }
    }

    /** What close() throws; empty if nothing. */
    public static String close() {
        try {
            new RecordWriter(new FailedWriter()).close();
            return "";
        } catch (Exception e) {
            return String.valueOf(e);
        }
    }

    /** What write() throws. */
    public static String write() {
        try {
            new RecordWriter(new FailedWriter()).write("a record", null);
            return "";
        } catch (Exception e) {
            return String.valueOf(e);
        }
    }
}
