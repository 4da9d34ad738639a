import java.io.Closeable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.table.runtime.operators.TableStreamOperator;

/**
 * Behind the resume source, in its thread: makes a cancel wait for the poll that is under way.
 *
 * Flink interrupts the thread of a task that is cancelled. In the middle of a poll two threads then close the
 * connection to Python at once, and one time in three that ended the whole TaskManager: "Reference count must
 * not be negative" (Flink 2.2.1, Beam 2.61). What is registered with the task is closed before the interrupt,
 * and a task that closes its operators is not interrupted any more.
 */
public class WholePolls extends TableStreamOperator implements OneInputStreamOperator {

    private static final long MOST_SECONDS = 2; // a poll takes some 20 ms; behind a full sink it cannot end

    private final StreamTask task;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Closeable end = new Closeable() {
        public void close() {
            try {
                closed.await(MOST_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        }
    };

    public WholePolls(
            Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService clock) {
        this.task = task;
        setup(task, config, output);
        setProcessingTimeService(clock);
    }

    public void open() throws Exception {
        super.open();
        task.getCancelables().registerCloseable(end);
    }

    public void processElement(StreamRecord record) {
        output.collect(record);
    }

    public void close() throws Exception {
        closed.countDown();
        task.getCancelables().unregisterCloseable(end);
        super.close();
    }
}
