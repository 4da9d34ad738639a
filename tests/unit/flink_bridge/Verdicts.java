import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The results of EventLine for many lines at once: one call from Python for each line would take minutes. */
public class Verdicts {

    private static final byte LF = 10;
    private static final byte[] BEFORE = "{\"computer\":\"before\"}\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] AFTER = "\n{\"computer\":\"after\"}".getBytes(StandardCharsets.UTF_8);

    /**
     * One line for each line: `reason R`, or `event TIME LATE KEY HEADER…`, with bytes as hex digits. Each line is
     * read twice: in this block, and between two events. Both results must be equal.
     */
    public String ofLines(String options, byte[] block, long now) throws Exception {
        Map told = (Map) new ObjectMapper().readValue(options, Map.class);
        EventLine line = new EventLine(told);
        EventLine another = new EventLine(told);
        boolean sound = isSound(block);
        StringBuilder said = new StringBuilder();
        int begin = 0;
        for (int end = 0; end <= block.length; end++) {
            if (end < block.length && block[end] != LF) {
                continue;
            }
            String verdict = begin == end ? "reason empty" : verdict(line, block, begin, end, sound, now);
            if (begin < end && !verdict.equals(betweenEvents(another, block, begin, end, now))) {
                throw new IllegalStateException("another verdict between events: "
                        + new String(block, begin, Math.min(end - begin, 200), StandardCharsets.UTF_8));
            }
            said.append(verdict).append('\n');
            begin = end + 1;
        }
        return said.toString();
    }

    /** The result for bytes that LineCutter marks as `marked`. */
    public String ofPart(String options, String marked, byte[] bytes, long now) throws Exception {
        EventLine line = new EventLine((Map) new ObjectMapper().readValue(options, Map.class));
        String reason = line.reasonOfPart(marked, bytes, 0, bytes.length, now);
        return reason == null ? event(line) : "reason " + reason;
    }

    private static String betweenEvents(EventLine line, byte[] lines, int begin, int end, long now) {
        byte[] block = new byte[BEFORE.length + end - begin + AFTER.length];
        System.arraycopy(BEFORE, 0, block, 0, BEFORE.length);
        System.arraycopy(lines, begin, block, BEFORE.length, end - begin);
        System.arraycopy(AFTER, 0, block, block.length - AFTER.length, AFTER.length);
        boolean sound = isSound(block);
        verdict(line, block, 0, BEFORE.length - 1, sound, now);
        String verdict = verdict(line, block, BEFORE.length, block.length - AFTER.length, sound, now);
        verdict(line, block, block.length - AFTER.length + 1, block.length, sound, now);
        return verdict;
    }

    private static boolean isSound(byte[] block) {
        return EventLine.isSound(new String(block, StandardCharsets.UTF_8));
    }

    private static String verdict(EventLine line, byte[] block, int begin, int end, boolean sound, long now) {
        String reason = line.reasonAgainst(block, begin, end, sound, now);
        return reason == null ? event(line) : "reason " + reason;
    }

    private static String event(EventLine line) {
        StringBuilder said = new StringBuilder("event " + line.time() + " " + line.isLate() + " " + hex(line.key()));
        for (int header = 0; header < line.headers().length; header++) {
            said.append(line.headers()[header] == null ? " -" : " =" + hex(line.headers()[header]));
        }
        return said.toString();
    }

    private static String hex(byte[] bytes) {
        StringBuilder digits = new StringBuilder();
        for (int place = 0; place < bytes.length; place++) {
            digits.append(Integer.toHexString(bytes[place] & 255 | 256).substring(1));
        }
        return digits.toString();
    }

    public String ofTimes(String texts, String zone, long now) {
        EventTime times = new EventTime(zone);
        StringBuilder said = new StringBuilder();
        String[] all = texts.split("\n", -1);
        for (int index = 0; index < all.length; index++) {
            long time = times.milliseconds(all[index], now);
            said.append(time == EventTime.NONE ? "none" : String.valueOf(time)).append('\n');
        }
        return said.toString();
    }
}
