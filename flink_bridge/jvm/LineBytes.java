import java.nio.charset.StandardCharsets;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.table.runtime.operators.TableStreamOperator;

/** Lines as bytes: between threads Flink copies a byte array at once, but a String char by char. */
public class LineBytes extends TableStreamOperator implements OneInputStreamOperator {

    public LineBytes(
            Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService clock) {
        setup(task, config, output);
        setProcessingTimeService(clock);
    }

    public void processElement(StreamRecord record) {
        output.collect(record.replace(((String) record.getValue()).getBytes(StandardCharsets.UTF_8)));
    }
}
