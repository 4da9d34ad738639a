package winevent;

import java.io.IOException;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** The answer of a server to RESUME, see docs/PROTOCOL.md. Unknown members are ignored. */
public class ServerAnswer {

    public static final int MOST_BYTES = 1024; // the line with its LF

    private static final ObjectMapper JSON =
            new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    public final String status; // ok, gap, new-log or error
    public final String logId;
    public final long offset;
    public final long lostBytes;
    public final String reason;

    private ServerAnswer(String status, String logId, long offset, long lostBytes, String reason) {
        this.status = status;
        this.logId = logId;
        this.offset = offset;
        this.lostBytes = lostBytes;
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
        boolean explains = members.get("reason") instanceof String && members.get("code") instanceof String;
        if ("error".equals(status) && explains && !members.containsKey("log_id")) {
            return new ServerAnswer("error", null, 0, 0, (String) members.get("reason"));
        }
        boolean follows = "ok".equals(status) || "gap".equals(status) || "new-log".equals(status);
        Object logId = members.get("log_id");
        Object offset = members.get("offset");
        if (!follows || !(logId instanceof String) || !isWhole(offset) || ((String) logId).isEmpty()) {
            return null;
        }
        Object lost = members.get("lost_bytes");
        long lostBytes = isWhole(lost) ? ((Number) lost).longValue() : 0;
        return new ServerAnswer((String) status, (String) logId, ((Number) offset).longValue(), lostBytes, "");
    }

    private static boolean isWhole(Object value) {
        return value instanceof Integer || value instanceof Long;
    }
}
