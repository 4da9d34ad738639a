import java.io.ByteArrayOutputStream;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** A LogReader as Flink's source uses it, for tests in Python. */
public class ReaderDriver {

    private LogReader reader;
    private LogPosition position;
    private long blocks;
    private String failure = "";

    public void start(String options, String from) throws Exception {
        position = LogPosition.parse(from);
        reader = new LogReader((Map) new ObjectMapper().readValue(options, Map.class), position);
        reader.start();
    }

    /** Everything that has arrived since the last call: each block with an LF after it. */
    public byte[] taken() {
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        try {
            for (LogReader.Block block = reader.poll(); block != null; block = reader.poll()) {
                if (block.lines.length > 0) {
                    taken.write(block.lines, 0, block.lines.length);
                    taken.write(10);
                }
                blocks++;
                position = block.end;
            }
        } catch (LogReader.GapException gap) {
            failure = gap.getMessage();
        } catch (IllegalStateException broken) {
            failure = broken.getMessage();
        }
        return taken.toByteArray();
    }

    public String position() {
        return position.toString();
    }

    public String failure() {
        return failure;
    }

    public String state() {
        String kind = reader.plain ? "plain" : "log";
        return reader.connected ? kind : "away";
    }

    public boolean connected() {
        return reader.connected;
    }

    public long reconnects() {
        return reader.reconnects;
    }

    public long lostBytes() {
        return reader.lostBytes;
    }

    public long skippedBytes() {
        return reader.skippedBytes;
    }

    public long buffered() {
        return reader.buffered();
    }

    public long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    public void close() {
        reader.close();
    }
}
