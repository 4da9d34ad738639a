package winevent;

import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The answer of a server to RESUME, see docs/PROTOCOL.md. Each member that a server sends is needed, and has to be what
 * a server sends, because a plain server may send JSON lines with a status, too. Unknown members are ignored, except in
 * a refusal, which is the form of many a line of a log.
 */
public class ServerAnswer {

    public static final int MOST_BYTES = 1024; // the line with its LF

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final int MEMBERS_OF_ERROR = 3;
    private static final Pattern CODE = Pattern.compile("busy|bad-request|gap|new-log"); // all that a server sends
    private static final Pattern LOG_ID = Pattern.compile("(?!-$)[!-~]{1,128}"); // fits into a request

    public final String status; // ok, gap, new-log or error
    public final String logId;
    public final long offset;
    public final long lostBytes;
    public final boolean follows; // the log asked for is an earlier one of this log
    public final String reason;

    private ServerAnswer(String status, String logId, long offset, long lostBytes, boolean follows, String reason) {
        this.status = status;
        this.logId = logId;
        this.offset = offset;
        this.lostBytes = lostBytes;
        this.follows = follows;
        this.reason = reason;
    }

    public boolean refuses() {
        return status.equals("error");
    }

    /** Reads the first `length` bytes of `line` as an answer; null if they are not one. */
    public static ServerAnswer parse(byte[] line, int length) {
        if (length == 0 || length > MOST_BYTES || line[0] != '{') {
            return null;
        }
        Map members;
        try {
            members = (Map) JSON.readValue(line, 0, length, Map.class);
        } catch (IOException noJson) {
            return null;
        }
        Object status = members.get("status");
        if ("error".equals(status)) {
            Object reason = members.get("reason");
            boolean explains = reason instanceof String && isText(members.get("code"), CODE);
            return explains && members.size() == MEMBERS_OF_ERROR
                    ? new ServerAnswer("error", null, 0, 0, false, (String) reason) : null;
        }
        boolean follows = "ok".equals(status) || "gap".equals(status) || "new-log".equals(status);
        Object logId = members.get("log_id");
        Object offset = members.get("offset");
        Object lost = members.get("lost_bytes");
        if (!follows || !isText(logId, LOG_ID) || !isCount(offset) || !isCount(lost)) {
            return null;
        }
        long lostBytes = ((Number) lost).longValue();
        boolean isLater = Boolean.TRUE.equals(members.get("follows"));
        return new ServerAnswer(
                (String) status, (String) logId, ((Number) offset).longValue(), lostBytes, isLater, "");
    }

    private static boolean isText(Object value, Pattern form) {
        return value instanceof String && form.matcher((String) value).matches();
    }

    private static boolean isCount(Object value) {
        return (value instanceof Integer || value instanceof Long) && ((Number) value).longValue() >= 0;
    }
}
