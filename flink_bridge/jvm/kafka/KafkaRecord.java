package winevent;

/**
 * A record between the parser and the Kafka writer. With one endpoint, the writer runs in the parser's thread. With
 * several, records go from one thread to another, and Flink must copy them: so this class is a POJO in Flink's sense.
 */
public class KafkaRecord {

    public String topic;
    public byte[] key; // null: none
    public byte[] value;
    public Long timestamp; // null: the time of writing
    public String[] headerNames; // null: no headers
    public byte[][] headerValues; // null where the line has no such field

    public KafkaRecord() { }

    public KafkaRecord(
            String topic, byte[] key, byte[] value, Long timestamp, String[] headerNames, byte[][] headerValues) {
        this.topic = topic;
        this.key = key;
        this.value = value;
        this.timestamp = timestamp;
        this.headerNames = headerNames;
        this.headerValues = headerValues;
    }
}
