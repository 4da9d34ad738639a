package winevent;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Collects single lines in one array, with an LF after each. An LF inside a line becomes a space. */
public class LineBlock {

    private static final byte LF = 10;
    private static final byte SPACE = 32;

    private byte[] bytes;
    private int length;

    public LineBlock(int size) {
        bytes = new byte[size];
    }

    /** Whether the line fits. A line of any length fits into an empty block. */
    public boolean hasRoomFor(byte[] line) {
        return length == 0 || length + line.length < bytes.length;
    }

    public void add(byte[] line) {
        if (length + line.length >= bytes.length) {
            bytes = Arrays.copyOf(bytes, length + line.length + 1);
        }
        System.arraycopy(line, 0, bytes, length, line.length);
        // Java uses vector instructions to find a character in a String, but not to find a byte in an array.
        String text = new String(line, StandardCharsets.ISO_8859_1);
        for (int at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
            bytes[length + at] = SPACE;
        }
        length += line.length;
        bytes[length++] = LF;
    }

    public boolean isEmpty() {
        return length == 0;
    }

    /** Returns the block and empties it. */
    public byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, length);
        length = 0;
        return taken;
    }
}
