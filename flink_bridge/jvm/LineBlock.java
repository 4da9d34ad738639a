package winevent;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Lines that came one by one, together in one array, LF behind each. An LF inside a line becomes a space. */
public class LineBlock {

    private static final byte LF = 10;
    private static final byte SPACE = 32;

    private byte[] bytes;
    private int length;

    public LineBlock(int size) {
        bytes = new byte[size];
    }

    /** Whether the line still fits. An empty block takes a line of any length. */
    public boolean hasRoomFor(byte[] line) {
        return length == 0 || length + line.length < bytes.length;
    }

    public void add(byte[] line) {
        if (length + line.length >= bytes.length) {
            bytes = Arrays.copyOf(bytes, length + line.length + 1);
        }
        System.arraycopy(line, 0, bytes, length, line.length);
        // Java looks for a character in a String with vector instructions, for a byte in an array it does not.
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

    /** The block, which is empty afterwards. */
    public byte[] take() {
        byte[] taken = Arrays.copyOf(bytes, length);
        length = 0;
        return taken;
    }
}
