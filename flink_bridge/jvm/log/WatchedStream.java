package winevent;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Timer;
import java.util.TimerTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bytes of a connection that may be one of plain lines. Its silence is warned of, and if a server has sent
 * heartbeats and they stop, the connection is broken: the read throws.
 *
 * A second thread looks at the silence and closes the socket. A read with a timeout would not do, because in the
 * middle of a TLS record it loses the first part of the record.
 */
public class WatchedStream extends InputStream {

    private static final Logger LOG = LoggerFactory.getLogger(WatchedStream.class);
    private static final int LOOKS = 10; // in the time of silence that is warned of
    private static final long LEAST_BEAT_MS = 500; // what comes sooner is no heartbeat
    private static final int ALIKE_BEATS = 3;

    private final Socket socket; // of TCP, also below TLS: to close TLS may wait for the peer
    private final InputStream in;
    private final String where;
    private final int tickMs; // the silence that is warned of
    private final Timer timer;

    private boolean reads;
    private long silence; // of the read under way, in milliseconds
    private long silenceAtEnd; // after which the connection was broken
    private boolean begun; // something has arrived
    private long withoutLf; // bytes since the last LF
    private boolean toldNothing;
    private boolean toldWithoutLf;
    private boolean gone;

    private long least; // of the beats of similar distance that were seen last
    private long most;
    private int beats; // how many these are
    private long longestBeat; // of at least ALIKE_BEATS of similar distance; 0: there were none

    WatchedStream(Socket socket, InputStream in, String where, int tickMs) {
        this.socket = socket;
        this.in = in;
        this.where = where;
        this.tickMs = tickMs;
        timer = new Timer("watch " + where, true);
        timer.schedule(new TimerTask() {
            public void run() {
                look();
            }
        }, tickMs / LOOKS, tickMs / LOOKS);
    }

    public int read() {
        throw new UnsupportedOperationException();
    }

    public int read(byte[] buffer, int from, int room) throws IOException {
        long start = System.nanoTime();
        begin();
        int count = -1;
        try {
            count = in.read(buffer, from, room);
        } catch (IOException broken) {
            throw isGone() ? new IOException("nothing, and no heartbeat, for " + silenceAtEnd / 1000 + " s") : broken;
        } finally {
            end(buffer, from, count, (System.nanoTime() - start) / 1000000);
        }
        return count;
    }

    /** Ends the watch, not the connection. */
    public void close() {
        timer.cancel();
    }

    private synchronized void begin() {
        reads = true;
        silence = 0;
    }

    private synchronized boolean isGone() {
        return gone;
    }

    private synchronized void end(byte[] buffer, int from, int count, long lasted) {
        reads = false;
        begun |= count > 0;
        boolean blank = withoutLf == 0 && (count == 1 && buffer[from] == 10
                || count == 2 && buffer[from] == 13 && buffer[from + 1] == 10);
        int end = from + Math.max(count, 0);
        int line = end;
        while (line > from && buffer[line - 1] != 10) {
            line--;
        }
        withoutLf = line > from ? end - line : withoutLf + end - line;
        if (blank && lasted >= LEAST_BEAT_MS) {
            beat(lasted);
        }
    }

    /** A blank line alone may be one of a text, so heartbeats are what comes again and again. */
    private void beat(long pause) {
        boolean similar = beats > 0 && Math.max(most, pause) <= 2 * Math.min(least, pause);
        least = similar ? Math.min(least, pause) : pause;
        most = similar ? Math.max(most, pause) : pause;
        beats = similar ? beats + 1 : 1;
        longestBeat = beats >= ALIKE_BEATS ? most : longestBeat;
    }

    /** Counts its own calls and does not read the clock: while this process stands still, nobody can hear anything. */
    synchronized void look() {
        silence += reads ? tickMs / LOOKS : 0;
        if (!reads || gone || silence < tickMs) {
            return;
        }
        if (!begun && !toldNothing) {
            toldNothing = true;
            LOG.warn(where + ": connected, but no line has come yet");
        }
        if (withoutLf > 0 && !toldWithoutLf) {
            toldWithoutLf = true;
            LOG.warn(where + ": " + withoutLf + " bytes have arrived without an LF; does this server end its lines"
                    + " with LF?");
        }
        if (longestBeat > 0 && silence > Math.max(tickMs, 3 * longestBeat)) {
            gone = true;
            silenceAtEnd = silence;
            try {
                socket.close();
            } catch (IOException closed) {
                LOG.debug("close", closed);
            }
        }
    }
}
