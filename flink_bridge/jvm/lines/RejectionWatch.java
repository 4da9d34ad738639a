package winevent;

import java.util.HashMap;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns in the log, and in the metric mostly_rejected, if more than half of the lines of a minute are rejected. If
 * fewer than LEAST_LINES come within a minute, it lasts until there are so many.
 */
public class RejectionWatch {

    private static final Logger LOG = LoggerFactory.getLogger(RejectionWatch.class);
    private static final long LOOK_EVERY = 10 * 1000L; // milliseconds
    private static final long MINUTE = 60 * 1000L;
    private static final int LEAST_LINES = 10; // fewer lines are not judged

    private final String endpoint;
    private final String rejectedTopic;
    private final Timer timer;
    private Map reasons = new HashMap(); // of this minute: reason to long[1]
    private long events;
    private long rejected;
    private long begun = System.nanoTime();
    private volatile boolean mostly;

    public RejectionWatch(String endpoint, String rejectedTopic, MetricGroup metrics) {
        this.endpoint = endpoint;
        this.rejectedTopic = rejectedTopic;
        metrics.gauge("mostly_rejected", new Gauge() {
            public Object getValue() {
                return Integer.valueOf(mostly ? 1 : 0);
            }
        });
        timer = new Timer("rejected lines from " + endpoint, true);
        timer.schedule(new TimerTask() {
            public void run() {
                look((System.nanoTime() - begun) / 1000000);
            }
        }, LOOK_EVERY, LOOK_EVERY);
    }

    public void close() {
        timer.cancel();
    }

    public synchronized void events(long count) {
        events += count;
    }

    public synchronized void rejected(String reason) {
        rejected++;
        long[] count = (long[]) reasons.get(reason);
        if (count == null) {
            count = new long[1];
            reasons.put(reason, count);
        }
        count[0]++;
    }

    /** `age`: how long this minute has lasted, in milliseconds. */
    synchronized void look(long age) {
        boolean enough = events + rejected >= LEAST_LINES;
        boolean over = age >= MINUTE && enough;
        boolean now = enough && rejected > events;
        if (now && (over || !mostly)) {
            // The message has no {}, because Janino passes an array as a single argument.
            LOG.warn(rejected + " of the last " + (events + rejected) + " lines from " + endpoint
                    + " were rejected, most of them as " + mainReason() + ": they are in the topic " + rejectedTopic);
        }
        mostly = now || mostly && !over;
        if (over) {
            begun = System.nanoTime();
            events = 0;
            rejected = 0;
            reasons = new HashMap();
        }
    }

    private String mainReason() {
        String main = "";
        long most = 0;
        for (Object reason : reasons.keySet()) {
            long count = ((long[]) reasons.get(reason))[0];
            if (count > most) {
                main = (String) reason;
                most = count;
            }
        }
        return main;
    }
}
