import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * One LogReader, and a server that sends it one short line at a time, so that blocks are small. The connection is
 * cut from time to time. At each rest, the reader's counters must be equal to the lines that were sent.
 */
public class ReaderSoak extends Thread {

    private static final byte[] LINE = "{\"computer\":\"a\"}\n".getBytes(StandardCharsets.US_ASCII);

    private final ServerSocket listener;
    private volatile long allowed; // lines that may be sent by now
    private volatile long cutAt = Long.MAX_VALUE;
    private volatile String broken = "";
    private LogReader reader;
    private LogPosition position = LogPosition.none("earliest");
    private long blocks;
    private long lines;
    private long patience = 60; // seconds without a line
    private volatile long lostLine = -1; // the server leaves it out

    public ReaderSoak() throws Exception {
        super("the server of the soak");
        listener = new ServerSocket(0, 8, InetAddress.getByName("127.0.0.1"));
        setDaemon(true);
        start();
        Map options = new HashMap();
        options.put("host", "127.0.0.1");
        options.put("port", Integer.valueOf(listener.getLocalPort()));
        options.put("mode", "resume");
        options.put("max_line", Integer.valueOf(65536));
        reader = new LogReader(options, position);
        reader.start();
    }

    public void run() {
        try {
            while (true) {
                Socket client = listener.accept();
                client.setTcpNoDelay(true);
                serve(client);
                client.close();
            }
        } catch (Exception error) {
            broken = error.toString();
        }
    }

    /** Sends the log from the requested position: each line as soon as it is allowed. */
    private void serve(Socket client) throws Exception {
        long offset = asked(client.getInputStream());
        OutputStream out = client.getOutputStream();
        String answer = "{\"log_id\":\"L\",\"offset\":" + offset + ",\"status\":\"ok\",\"lost_bytes\":0}\n";
        out.write(answer.getBytes(StandardCharsets.US_ASCII));
        for (long line = offset / LINE.length; line < cutAt; line++) {
            while (line >= allowed) {
                LockSupport.parkNanos(50000);
            }
            if (line == lostLine) {
                continue;
            }
            out.write(LINE); // the reader seldom finds more than a few of them at once
        }
        cutAt = Long.MAX_VALUE;
    }

    private static long asked(InputStream in) throws Exception {
        StringBuilder request = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            request.append((char) next);
        }
        String last = request.substring(request.lastIndexOf(" ") + 1);
        return last.equals("earliest") ? 0 : Long.parseLong(last);
    }

    /** Reads this many more lines; then everything rests. Returns what is wrong, or an empty text. */
    public String round(long count, boolean cut) throws Exception {
        long until = lines + count;
        if (cut) {
            cutAt = lines + count / 2;
        }
        allowed = until;
        while (lines < until && broken.isEmpty()) {
            LogReader.Block block = reader.poll();
            if (block != null) {
                blocks++;
                lines += (block.lines.length + 1) / LINE.length;
                position = block.end;
            } else {
                try {
                    reader.available().get(patience, TimeUnit.SECONDS);
                } catch (TimeoutException silent) {
                    return "no line for " + patience + " s: " + atRest(until);
                }
            }
        }
        if (!broken.isEmpty()) {
            return broken;
        }
        boolean right = reader.buffered() == 0 && reader.poll() == null && lines == until
                && position.toString().equals("L " + until * LINE.length);
        return right ? "" : "at rest: " + atRest(until);
    }

    private String atRest(long until) {
        return "buffered " + reader.buffered() + ", lines " + lines + " of " + until + ", position " + position;
    }

    /** For a test of this soak: the line of this number is never sent. */
    public void lose(long line, long patience) {
        lostLine = line;
        this.patience = patience;
    }

    public long blocks() {
        return blocks;
    }

    public long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    public void close() throws Exception {
        reader.close();
        listener.close();
    }
}
