package winevent;

/**
 * A record on its way from the parser to the Kafka writer. With one endpoint the writer runs in the parser's thread;
 * with several, records cross threads, for which Flink can copy this class: what it calls a POJO.
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
