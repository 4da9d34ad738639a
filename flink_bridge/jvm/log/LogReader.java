package winevent;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLSocket;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one server in a thread, continues after every kind of interruption, and keeps some blocks of lines ready.
 *
 * A server that answers RESUME is read from a position in its log. Any other server is read as plain lines, unless
 * `mode` is "resume". This class does not use Flink: the operator takes blocks, and is notified when there are some.
 */
public class LogReader extends Thread {

    private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);
    private static final long MOST_BUFFERED = 8L << 20; // bytes
    private static final int BLOCK_BYTES = 128; // the memory of a block besides its lines: so empty blocks count, too
    private static final int CONNECT_MS = 10000; // of the machine, not of its programs; then it tries again
    private static final int ANSWER_MS = 60000; // of a server, for RESUME and for TLS; keep-alive notices a dead one sooner
    private static final int LISTEN_MS = 100; // for a server that sends first; win-event-producer waits 250 ms
    private static final int GRACE_MS = 200; // a request that was sent later may have arrived too late
    private static final int LATE_TRIES = 5;
    private static final int TICK_MS = 15000; // after this silence, a plain connection is looked at
    private static final long FIRST_PAUSE_MS = 250;
    private static final long LONGEST_PAUSE_MS = 10000;

    /** Whole lines (see LineCutter) and the position after them. Without lines, only the position has changed. */
    public static class Block {
        public final byte[] lines;
        public final LogPosition end;

        Block(byte[] lines, LogPosition end) {
            this.lines = lines;
            this.end = end;
        }

        int size() {
            return lines.length + BLOCK_BYTES;
        }
    }

    /** The server no longer has the next events, and the settings say to fail. */
    public static class GapException extends Exception {
        GapException(String message) {
            super(message);
        }
    }

    /** The server answered, but not in the form of the protocol. */
    private static class SaidInstead extends IOException {
        SaidInstead(String message) {
            super(message);
        }
    }

    public volatile boolean connected;
    public volatile boolean plain; // the connection is read as plain lines
    public volatile long reconnects;
    public volatile long gaps;
    public volatile long lostBytes;
    public volatile long skippedBytes; // of lines that are too long, in no block; again when they are read again

    private final String host;
    private final int port;
    private final boolean insists; // requires an answer to RESUME
    private final boolean failsOnGap;
    private final boolean tls;
    private final String caFile;
    private final String certFile;
    private final String keyFile;
    private final int maxLine;
    private final int tickMs;
    private final ArrayDeque blocks = new ArrayDeque();
    private long buffered;
    private CompletableFuture available = new CompletableFuture();
    private Throwable failure;
    private boolean stopped;
    private Socket open;
    private LogPosition position; // after the last line that was handed over
    private boolean asked; // on this connection
    private boolean brought; // this connection has delivered something
    private boolean neverAnswers; // the server of the last connection did not know RESUME
    private boolean hinted; // and looked like a win-event-producer once, but was none
    private int late; // how many requests in a row came too late
    private long begun; // when this connection was begun: the server may count its time from then on

    /** `options`: see flink_bridge/sources/log_source.py, which writes them. */
    public LogReader(Map options, LogPosition start) {
        super("read " + options.get("host") + ":" + options.get("port"));
        host = (String) options.get("host");
        port = ((Integer) options.get("port")).intValue();
        insists = "resume".equals(options.get("mode"));
        failsOnGap = Boolean.TRUE.equals(options.get("fail_on_gap"));
        tls = Boolean.TRUE.equals(options.get("tls"));
        caFile = (String) options.get("tls_ca_file");
        certFile = (String) options.get("tls_cert_file");
        keyFile = (String) options.get("tls_key_file");
        maxLine = ((Integer) options.get("max_line")).intValue();
        tickMs = options.containsKey("tick_ms") ? ((Integer) options.get("tick_ms")).intValue() : TICK_MS; // for tests
        position = start;
        setDaemon(true);
    }

    /** The next block; null if there is none yet. */
    public Block poll() throws GapException {
        synchronized (blocks) {
            Block block = (Block) blocks.poll();
            if (block == null) {
                if (failure instanceof GapException) {
                    throw (GapException) failure;
                }
                if (failure != null) {
                    throw new IllegalStateException(where() + ": the reader has ended", failure);
                }
                return null;
            }
            buffered -= block.size();
            blocks.notifyAll();
            return block;
        }
    }

    /** Completed as soon as poll has a block. */
    public CompletableFuture available() {
        synchronized (blocks) {
            if (available.isDone() && blocks.isEmpty() && failure == null) {
                available = new CompletableFuture();
            }
            return available;
        }
    }

    /** How many bytes wait to be polled. */
    public long buffered() {
        synchronized (blocks) {
            return buffered;
        }
    }

    /** Stops at once, also if the thread waits for something. */
    public void close() {
        Socket socket;
        synchronized (blocks) {
            stopped = true;
            socket = open;
            blocks.notifyAll();
        }
        shut(socket);
        interrupt();
        try {
            join(1000);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    public void run() {
        long pause = FIRST_PAUSE_MS;
        while (!isStopped()) {
            String what = "the connection was closed";
            brought = false;
            asked = false;
            try {
                readOneConnection();
            } catch (GapException gap) {
                fail(gap);
                return;
            } catch (InterruptedException stop) {
                return;
            } catch (IOException broken) {
                what = words(broken);
            } catch (RuntimeException broken) {
                LOG.error(where(), broken);
                what = broken.toString();
            } catch (Error broken) { // no memory, for example: without this thread, the job would wait for ever
                fail(broken);
                return;
            }
            if (isStopped()) {
                return;
            }
            reconnects++;
            pause = brought ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, 2 * pause);
            long wait = pause + ThreadLocalRandom.current().nextLong(pause);
            LOG.warn(where() + ": " + what + "; next attempt in " + wait + " ms, from " + position);
            try {
                Thread.sleep(wait);
            } catch (InterruptedException stop) {
                return;
            }
        }
    }

    private void readOneConnection() throws IOException, InterruptedException, GapException {
        Socket socket = null;
        WatchedStream in = null;
        try {
            socket = connect();
            in = new WatchedStream(open, socket.getInputStream(), where(), tickMs);
            byte[] first = new byte[ServerAnswer.MOST_BYTES];
            boolean mayBePlain = position.logId == null && !insists;
            int had = mayBePlain && !tls ? heard(socket, in, first) : 0;
            boolean isLate = isLate();
            if (had == 0 && mayBePlain && neverAnswers) {
                had = firstLine(socket, in, first);
                askNextTimeIfProducer(first, had);
            } else if (had == 0) {
                ask(socket);
                isLate = isLate();
                had = firstLine(socket, in, first);
                int length = lineLength(first, had);
                ServerAnswer answer = length < 0 ? null : ServerAnswer.parse(first, length);
                if (answer != null) {
                    in.close();
                    readLog(socket, answer, Arrays.copyOfRange(first, length + 1, had));
                    return;
                }
            }
            refuseUnlessPlain(first, had, isLate);
            readPlain(socket, in, first, had);
        } finally {
            connected = false;
            plain = false;
            if (in != null) {
                in.close();
            }
            shut(socket);
        }
    }

    /** Reads for a moment what the server sends without a request: such a server does not wait for one. */
    private int heard(Socket socket, InputStream in, byte[] first) throws IOException {
        socket.setSoTimeout(LISTEN_MS);
        try {
            int count = in.read(first, 0, first.length);
            if (count < 0) {
                throw new EOFException("the server closed the connection and had sent nothing");
            }
            return count;
        } catch (SocketTimeoutException silent) {
            return 0;
        }
    }

    private boolean isLate() {
        return System.nanoTime() - begun > GRACE_MS * 1000000L;
    }

    /** A single LF, and nothing more, is what win-event-producer sends to a client without a request. */
    private void askNextTimeIfProducer(byte[] first, int had) throws IOException {
        if (had == 1 && first[0] == 10 && !hinted) {
            hinted = true;
            neverAnswers = false;
            throw new SaidInstead("the server looks like a win-event-producer now; asking it for its log");
        }
    }

    /**
     * Asks for the log. A server that does not read the request and closes its side resets the connection, and what
     * it has not sent yet is lost: so a server that sends plain lines is not asked again.
     */
    private void ask(Socket socket) throws IOException {
        asked = true;
        socket.getOutputStream().write(("RESUME " + position + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Reads to the first LF, or until it is too long for an answer. A plain server may be silent for hours: so long,
     * the reader is connected, too.
     */
    private int firstLine(Socket socket, InputStream in, byte[] first) throws IOException {
        boolean patient = position.logId == null && !insists;
        socket.setSoTimeout(patient ? 0 : ANSWER_MS);
        connected = patient;
        int had = 0;
        while (had < first.length && lineLength(first, had) < 0) {
            int count;
            try {
                count = in.read(first, had, first.length - had);
            } catch (SocketTimeoutException silent) {
                if (had > 0 && !insists) {
                    break;
                }
                throw new SaidInstead("no answer to RESUME within " + ANSWER_MS / 1000 + " s" + told(first, had));
            } catch (IOException broken) {
                if (had > 0 && !insists) {
                    break; // what has arrived is the beginning of a line
                }
                throw broken;
            }
            if (count < 0) {
                if (had == 0) {
                    throw new EOFException("the server closed the connection and had sent nothing");
                }
                break;
            }
            had += count;
            if (first[0] != '{') {
                break; // no answer begins like this
            }
        }
        return had;
    }

    /** Throws if these first bytes of a connection must not be treated as lines of a plain server. */
    private void refuseUnlessPlain(byte[] first, int had, boolean isLate) throws IOException {
        boolean asksAgain = mayComeTooLate(first, had, isLate);
        if (asksAgain && late < LATE_TRIES) {
            late++;
            brought = true; // the server is there: ask again soon
            throw new SaidInstead("for the server, the request came too late; asking again");
        }
        if (insists) {
            throw new SaidInstead("the server does not understand RESUME" + told(first, had)
                    + "; --source auto reads any server of lines");
        }
        late = 0;
        if (position.logId != null) {
            LOG.error(where() + ": the server that had log " + position + " sends plain lines now"
                    + told(first, had) + "; they are read, and the next connection asks for the log again");
        } else if (asksAgain) {
            LOG.warn(where() + ": after " + LATE_TRIES + " requests, the server still begins with an empty line, as a"
                    + " win-event-producer does for which RESUME comes too late; it is read as plain lines, and what"
                    + " it sends during an interruption is lost");
        }
    }

    /**
     * Whether the server may be a win-event-producer for which RESUME came too late: it begins with an LF then. The
     * way of a request may take any time, so our clock alone does not tell.
     */
    private boolean mayComeTooLate(byte[] first, int had, boolean isLate) {
        boolean maybe = isLate || asked && had == 1 && !hinted;
        return first[0] == 10 && (position.logId != null || maybe && !neverAnswers);
    }

    private void readLog(Socket socket, ServerAnswer answer, byte[] rest)
            throws IOException, InterruptedException, GapException {
        if (answer.refuses()) {
            throw new SaidInstead("the server refuses: " + answer.reason);
        }
        late = 0;
        neverAnswers = false;
        hinted = false;
        accept(answer);
        connected = true;
        socket.setSoTimeout(0);
        LineCutter cutter = new LineCutter(maxLine, true, new LineCutter.Blocks() {
            public void block(byte[] lines, long consumed) throws InterruptedException {
                put(lines, position.plus(consumed));
            }
        });
        readInto(cutter, socket.getInputStream(), rest, rest.length);
    }

    private void accept(ServerAnswer answer) throws GapException, InterruptedException {
        LogPosition found = new LogPosition(answer.logId, answer.offset, position.start);
        boolean another = !answer.status.equals("ok") || !found.toString().equals(position.toString());
        // After a restart of its machine, a producer gives its log a new id, and may have cut it back.
        boolean goesOn = answer.follows && answer.lostBytes == 0;
        if (position.logId != null && another && !goesOn) {
            boolean sameLog = answer.logId.equals(position.logId);
            String lost = sameLog || answer.lostBytes > 0 ? answer.lostBytes + " bytes are lost"
                    : "nobody knows how many bytes are lost";
            String what = where() + ": " + (sameLog ? "GAP" : "ANOTHER LOG") + ": asked for " + position
                    + ", the server has " + found + ", " + lost;
            gaps++;
            lostBytes += answer.lostBytes;
            LOG.error(what);
            if (failsOnGap) {
                throw new GapException(what);
            }
        }
        if (goesOn && answer.offset < position.offset) {
            LOG.warn(where() + ": its log was cut back to " + answer.offset + ", after " + position + " had been read");
        }
        LOG.info(where() + ": connected, reading log " + found);
        put(new byte[0], found); // the position is part of the next checkpoint, also before the first event
    }

    private void readPlain(Socket socket, InputStream in, byte[] first, int had)
            throws IOException, InterruptedException {
        LOG.info(where() + ": connected, reading plain lines");
        neverAnswers = true;
        connected = true;
        plain = true;
        LineCutter cutter = new LineCutter(maxLine, false, new LineCutter.Blocks() {
            public void block(byte[] lines, long consumed) throws InterruptedException {
                put(lines, position);
            }
        });
        try {
            socket.setSoTimeout(0);
            readInto(cutter, in, first, had);
        } finally {
            cutter.finish();
        }
    }

    /** Reads until the connection ends. */
    private void readInto(LineCutter cutter, InputStream in, byte[] first, int had)
            throws IOException, InterruptedException {
        long dropped = 0;
        long toldAt = 1; // bytes
        if (had > 0) {
            brought = true;
            System.arraycopy(first, 0, cutter.buffer(), 0, had);
            cutter.filled(had);
        }
        for (int count = read(in, cutter); count >= 0; count = read(in, cutter)) {
            brought = true;
            cutter.filled(count);
            if (cutter.dropped() > dropped) {
                skippedBytes += cutter.dropped() - dropped;
                dropped = cutter.dropped();
                if (dropped >= toldAt) {
                    toldAt = 10 * dropped;
                    LOG.warn(where() + ": " + dropped + " bytes of lines that are too long were skipped; does this"
                            + " server end its lines with LF, not with CR or NUL?");
                }
            }
        }
    }

    private static int read(InputStream in, LineCutter cutter) throws IOException {
        return in.read(cutter.buffer(), cutter.end(), cutter.room());
    }

    private Socket connect() throws IOException {
        IOException last = null;
        InetAddress[] addresses = InetAddress.getAllByName(host);
        for (int number = 0; number < addresses.length; number++) {
            Socket socket = new Socket();
            synchronized (blocks) {
                open = socket;
                if (stopped) {
                    throw new IOException("closed");
                }
            }
            try {
                socket.setTcpNoDelay(true);
                keepAlive(socket);
                begun = System.nanoTime();
                socket.connect(new InetSocketAddress(addresses[number], port), CONNECT_MS);
                if (!tls) {
                    return socket;
                }
                socket.setSoTimeout(ANSWER_MS);
                SSLSocket secured = TlsFromPem.over(socket, host, port, caFile, certFile, keyFile);
                secured.startHandshake(); // here it has a timeout
                return secured;
            } catch (IOException broken) {
                shut(socket);
                last = broken;
            }
        }
        throw last;
    }

    /** Turns on keep-alive: a peer that has gone without a FIN is noticed after 15 + 3 × 5 s. */
    private static void keepAlive(Socket socket) throws IOException {
        socket.setKeepAlive(true);
        if (socket.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
            socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, Integer.valueOf(15));
            socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, Integer.valueOf(5));
            socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, Integer.valueOf(3));
        }
    }

    private void put(byte[] lines, LogPosition end) throws InterruptedException {
        CompletableFuture ready;
        synchronized (blocks) {
            while (buffered > MOST_BUFFERED && !stopped) {
                blocks.wait();
            }
            if (stopped) {
                throw new InterruptedException();
            }
            Block block = new Block(lines, end);
            blocks.add(block);
            buffered += block.size();
            ready = available;
        }
        position = end;
        ready.complete(null);
    }

    private void fail(Throwable broken) {
        CompletableFuture ready;
        synchronized (blocks) {
            failure = broken;
            ready = available;
        }
        ready.complete(null);
    }

    private boolean isStopped() {
        synchronized (blocks) {
            return stopped;
        }
    }

    private String where() {
        return host + ":" + port;
    }

    private static String words(IOException broken) {
        if (broken instanceof SaidInstead || broken instanceof EOFException) {
            return broken.getMessage();
        }
        return broken.getClass().getSimpleName() + ": " + broken.getMessage();
    }

    private static String told(byte[] first, int had) {
        String said = new String(first, 0, Math.min(had, 80), StandardCharsets.UTF_8);
        return had == 0 ? "" : "; it said \"" + said.replaceAll("\\p{Cntrl}+", " ").trim() + "\"";
    }

    private static int lineLength(byte[] bytes, int had) {
        for (int place = 0; place < had; place++) {
            if (bytes[place] == 10) {
                return place;
            }
        }
        return -1;
    }

    private static void shut(Socket socket) {
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException gone) {
                LOG.debug("close", gone);
            }
        }
    }
}
