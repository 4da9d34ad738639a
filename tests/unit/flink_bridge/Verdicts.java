import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** What EventLine says of many lines at once: a call from Python for each would take minutes. */
public class Verdicts {

    private static final byte LF = 10;

    /** A line for each line: `reason R`, or `event TIME LATE KEY HEADER…`, bytes as hex digits. */
    public String ofLines(String options, byte[] block, long now) throws Exception {
        EventLine line = new EventLine((Map) new ObjectMapper().readValue(options, Map.class));
        boolean sound = EventLine.isSound(new String(block, StandardCharsets.UTF_8));
        StringBuilder said = new StringBuilder();
        int begin = 0;
        for (int end = 0; end <= block.length; end++) {
            if (end < block.length && block[end] != LF) {
                continue;
            }
            String reason = begin == end ? "empty" : line.reasonAgainst(block, begin, end, sound, now);
            said.append(reason == null ? event(line) : "reason " + reason).append('\n');
            begin = end + 1;
        }
        return said.toString();
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
