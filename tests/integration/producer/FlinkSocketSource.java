import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.flink.streaming.api.functions.source.legacy.SocketTextStreamFunction;
import org.apache.flink.streaming.api.functions.source.legacy.SourceFunction;
import org.apache.flink.streaming.api.watermark.Watermark;

/** Flink's own socketTextStream, started again whenever it fails, as a job's restarts do; for tests in Python. */
public class FlinkSocketSource implements Runnable, SourceFunction.SourceContext {

    private final Object lock = new Object();
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private volatile SocketTextStreamFunction source;
    private volatile boolean stopped;
    private int port;

    public void start(int toPort) {
        port = toPort;
        Thread thread = new Thread(this, "socket source");
        thread.setDaemon(true);
        thread.start();
    }

    public void run() {
        while (!stopped) {
            source = new SocketTextStreamFunction("127.0.0.1", port, "\n", -1, 100L);
            try {
                source.run(this);
            } catch (Exception away) {
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(100L);
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    /** All lines that have arrived, with an LF after each. */
    public byte[] taken() {
        synchronized (lock) {
            return taken.toByteArray();
        }
    }

    /** The number of bytes of `taken()`. */
    public int size() {
        synchronized (lock) {
            return taken.size();
        }
    }

    public void stop() {
        stopped = true;
        source.cancel();
    }

    public void collect(Object line) {
        synchronized (lock) {
            byte[] bytes = ((String) line).getBytes(StandardCharsets.UTF_8);
            taken.write(bytes, 0, bytes.length);
            taken.write(10);
        }
    }

    public void collectWithTimestamp(Object line, long timestamp) {
        collect(line);
    }

    public void emitWatermark(Watermark mark) {
    }

    public void markAsTemporarilyIdle() {
    }

    public Object getCheckpointLock() {
        return lock;
    }

    public void close() {
    }
}
