import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;

/** A RejectionWatch whose clock is a test. */
public class WatchDriver {

    private Gauge mostly;
    private RejectionWatch watch;

    public void start(String endpoint) {
        watch = new RejectionWatch(endpoint, "rejected_topic", new UnregisteredMetricsGroup() {
            public Gauge gauge(String name, Gauge gauge) {
                mostly = gauge;
                return gauge;
            }
        });
        watch.close(); // its own timer
    }

    /** So many lines come; then it looks, `age` milliseconds after its minute has begun. Returns mostly_rejected. */
    public int after(int events, int rejected, long age) {
        watch.events(events);
        for (int line = 0; line < rejected; line++) {
            watch.rejected("not-json");
        }
        watch.look(age);
        return ((Integer) mostly.getValue()).intValue();
    }
}
