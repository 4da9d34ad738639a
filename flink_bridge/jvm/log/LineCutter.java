package winevent;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts the bytes of one connection into blocks of whole lines. Pure: no socket, no clock, no Flink.
 *
 * A block has LFs between its lines, but none at its beginning or end. Bytes that are not a whole line become their
 * own block, which begins with an LF: LF, reason, LF, bytes. The reasons are "too-long", with the first bytes of the
 * line, and "torn", for the bytes after the last LF of a connection. Memory is bounded, whatever the server sends.
 *
 * How to use it: read at most `room()` bytes into `buffer()`, beginning at `end()`; then call `filled`.
 */
public class LineCutter {

    public static final int LEAST_BUFFER = 256 * 1024;
    public static final int MOST_KEPT = 64 * 1024; // bytes of a line that is too long
    private static final byte LF = 10;
    private static final byte[] MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final byte[] NOTHING = new byte[0];

    /** Receives the blocks. `consumed`: bytes of the connection since the last call, with those of skipped lines. */
    public interface Blocks {
        void block(byte[] lines, long consumed) throws InterruptedException;
    }

    private final int maxLine;
    private final boolean keepsPosition; // a line counts as consumed only with its LF; without it, it is read again
    private final Blocks blocks;
    private final byte[] buffer;
    private int end;
    private boolean mayBeMark; // a byte order mark before the first line is skipped
    private byte[] tooLong; // the first bytes of the line that is being skipped
    private long skipped;
    private long dropped; // bytes of all skipped lines that are in no block

    public LineCutter(int maxLine, boolean keepsPosition, Blocks blocks) {
        this.maxLine = maxLine;
        this.keepsPosition = keepsPosition;
        this.blocks = blocks;
        buffer = new byte[Math.max(LEAST_BUFFER, maxLine + 1)];
        mayBeMark = !keepsPosition;
    }

    public byte[] buffer() {
        return buffer;
    }

    public int end() {
        return end;
    }

    public int room() {
        return buffer.length - end;
    }

    /** The number of bytes of a line whose end has not arrived yet. */
    public long pending() {
        return end + skipped;
    }

    /** How many bytes of lines that are too long are in no block, since the beginning of the connection. */
    public long dropped() {
        return dropped;
    }

    /** Tells the cutter that `count` bytes have been read to the place `end()`. */
    public void filled(int count) throws InterruptedException {
        int before = end;
        end += count;
        if (mayBeMark) {
            before = 0;
            if (!passedOverMark()) {
                return;
            }
        }
        if (skipped > 0) {
            int line = indexOfLf(0);
            if (line < 0) {
                skipped += end;
                dropped += end;
                end = 0;
                return;
            }
            endOfTooLong(line + 1);
            before = 0;
        }
        int cut = end;
        while (cut > before && buffer[cut - 1] != LF) {
            cut--;
        }
        if (cut > before) {
            hand(cut);
            keepFrom(cut);
        }
        if (end == buffer.length) { // and no LF in it
            tooLong = Arrays.copyOf(buffer, Math.min(maxLine, MOST_KEPT));
            skipped = end;
            dropped += end - tooLong.length;
            end = 0;
            if (!keepsPosition) {
                blocks.block(marked("too-long", tooLong, tooLong.length), skipped);
                tooLong = NOTHING;
            }
        }
    }

    /** The connection has ended. If the position in the log is kept, the rest will be read again, so it is dropped. */
    public void finish() throws InterruptedException {
        if (!keepsPosition && end > 0) {
            blocks.block(marked("torn", buffer, end), end);
        }
        end = 0;
        skipped = 0;
        tooLong = null;
    }

    private void hand(int cut) throws InterruptedException {
        int begin = 0;
        while (begin < cut && buffer[begin] == LF) {
            begin++; // empty lines, such as heartbeats; an LF at the begin of a block would mark it
        }
        blocks.block(begin == cut ? NOTHING : Arrays.copyOfRange(buffer, begin, cut - 1), cut);
    }

    private void endOfTooLong(int cut) throws InterruptedException {
        dropped += cut - 1;
        byte[] block = tooLong.length == 0 ? NOTHING : marked("too-long", tooLong, tooLong.length);
        blocks.block(block, keepsPosition ? skipped + cut : cut);
        skipped = 0;
        tooLong = null;
        keepFrom(cut);
    }

    private void keepFrom(int cut) {
        System.arraycopy(buffer, cut, buffer, 0, end - cut);
        end -= cut;
    }

    /** False while the bytes so far may still become a byte order mark. */
    private boolean passedOverMark() {
        int same = 0;
        while (same < Math.min(end, 3) && buffer[same] == MARK[same]) {
            same++;
        }
        if (same == end && end < 3) {
            return false;
        }
        mayBeMark = false;
        if (same == 3) {
            keepFrom(3);
        }
        return true;
    }

    private int indexOfLf(int from) {
        for (int place = from; place < end; place++) {
            if (buffer[place] == LF) {
                return place;
            }
        }
        return -1;
    }

    private static byte[] marked(String reason, byte[] bytes, int count) {
        byte[] mark = ("\n" + reason + "\n").getBytes(StandardCharsets.US_ASCII);
        byte[] block = Arrays.copyOf(mark, mark.length + count);
        System.arraycopy(bytes, 0, block, mark.length, count);
        return block;
    }
}
