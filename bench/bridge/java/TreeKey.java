package winevent;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.util.Collector;

/** The simple solution in Java: makes a tree of the line, and takes the key from it. */
public class TreeKey implements FlatMapFunction {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String topic;

    public TreeKey(String topic) {
        this.topic = topic;
    }

    public void flatMap(Object element, Collector records) throws Exception {
        String line = (String) element;
        if (line.isEmpty()) {
            return;
        }
        JsonNode event = MAPPER.readTree(line);
        byte[] key = event.get("computer").asText().getBytes(StandardCharsets.UTF_8);
        records.collect(new KafkaRecord(topic, key, line.getBytes(StandardCharsets.UTF_8), null, null, null));
    }
}
