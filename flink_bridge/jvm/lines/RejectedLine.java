package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.exc.StreamConstraintsException;

/** Examines a line that is not JSON again, to find a reason that helps its sender. Pure. */
public class RejectedLine {

    private static final Pattern SYSLOG = Pattern.compile("<\\d{1,3}>");
    private static final Pattern OCTETS = Pattern.compile("\\d+ [<{]");
    private static final Pattern ANOTHER = Pattern.compile("[ \\t\\r]*,?[ \\t\\r]*[\\[{]");

    private static final List OF_TORN = Arrays.asList(new String[] {
        "bom", "utf-16", "nul", "syslog-prefix", "octet-count", "several-values"
    });
    private static final List OF_TOO_LONG = Arrays.asList(new String[] {"utf-16", "nul"});

    /**
     * The reason for bytes that are not a whole line: `marked` as LineCutter does, unless `found`, the reason of
     * these bytes as a line, says more: a sender that separates its events in another way sends no whole line.
     */
    public static String ofPart(String marked, String found) {
        List better = marked.equals("torn") ? OF_TORN : OF_TOO_LONG;
        return better.contains(found) ? found : marked;
    }

    public static String reason(JsonFactory json, byte[] block, int begin, int end) {
        String bytes = new String(block, begin, end - begin, StandardCharsets.ISO_8859_1);
        if (bytes.startsWith("\u00EF\u00BB\u00BF")) {
            return "bom";
        }
        if (bytes.startsWith("\u00FF\u00FE") || bytes.startsWith("\u00FE\u00FF")) {
            return "utf-16";
        }
        if (bytes.indexOf(0) >= 0) {
            return everyOtherIsNul(bytes) ? "utf-16" : "nul";
        }
        if (SYSLOG.matcher(bytes).lookingAt()) {
            return "syslog-prefix";
        }
        if (OCTETS.matcher(bytes).lookingAt()) {
            return "octet-count";
        }
        return EventLine.isDamaged(block, begin, end, false) ? "not-json" : behind(json, block, begin, end, bytes);
    }

    private static boolean everyOtherIsNul(String bytes) {
        int even = 0;
        int odd = 0;
        for (int place = bytes.indexOf(0); place >= 0; place = bytes.indexOf(0, place + 1)) {
            if (place % 2 == 0) {
                even++;
            } else {
                odd++;
            }
        }
        return (even == 0 || odd == 0) && (even + odd) * 4L >= bytes.length() && bytes.length() > 1;
    }

    private static String behind(JsonFactory json, byte[] block, int begin, int end, String bytes) {
        try {
            JsonParser parser = json.createParser(block, begin, end - begin);
            try {
                JsonToken first = parser.nextToken();
                parser.skipChildren();
                int rest = (int) parser.currentLocation().getByteOffset();
                boolean whole = first == JsonToken.START_OBJECT || first == JsonToken.START_ARRAY;
                boolean another = ANOTHER.matcher(bytes).region(rest, bytes.length()).lookingAt();
                return whole && another ? "several-values" : "not-json";
            } finally {
                parser.close();
            }
        } catch (StreamConstraintsException depth) {
            return "too-deep";
        } catch (IOException broken) {
            return "not-json";
        }
    }
}
