package winevent;

/** A place in a producer's log: the next byte to read. `logId` null means any log of the server, from `start`. */
public class LogPosition {

    public final String logId;
    public final long offset;
    public final String start; // earliest or latest; counts without a log id

    public LogPosition(String logId, long offset, String start) {
        this.logId = logId;
        this.offset = offset;
        this.start = start;
    }

    public static LogPosition none(String start) {
        return new LogPosition(null, 0, start);
    }

    public LogPosition plus(long bytes) {
        return new LogPosition(logId, offset + bytes, start);
    }

    /** The position in the form for RESUME and for checkpoints. */
    public String toString() {
        return logId == null ? "- " + start : logId + " " + offset;
    }

    public static LogPosition parse(String text) {
        int blank = text.lastIndexOf(' ');
        String logId = text.substring(0, blank);
        String place = text.substring(blank + 1);
        return logId.equals("-") ? none(place) : new LogPosition(logId, Long.parseLong(place), "earliest");
    }
}
