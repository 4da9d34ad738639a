import java.nio.charset.StandardCharsets;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.runtime.operators.TableStreamOperator;

/** What a Java programmer writes first: a tree of the line, and the key out of it. */
public class TreeKey extends TableStreamOperator implements OneInputStreamOperator {

    private final ObjectMapper mapper = new ObjectMapper();

    public TreeKey(
            Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService clock) {
        setup(task, config, output);
        setProcessingTimeService(clock);
    }

    public void processElement(StreamRecord record) throws Exception {
        String line = (String) record.getValue();
        if (line.isEmpty()) {
            return;
        }
        JsonNode event = mapper.readTree(line);
        GenericRowData row = new GenericRowData(2);
        row.setField(0, event.get("computer").asText().getBytes(StandardCharsets.UTF_8));
        row.setField(1, line.getBytes(StandardCharsets.UTF_8));
        output.collect(record.replace(row));
    }
}
