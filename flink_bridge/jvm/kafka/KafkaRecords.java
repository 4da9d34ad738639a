package winevent;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** Makes a record of Kafka's client from a KafkaRecord. The key decides the partition. */
public class KafkaRecords implements KafkaRecordSerializationSchema {

    /** Kafka's own RecordHeader is no public class, and it has volatile fields, which take time to write. */
    private static class Field implements Header {
        private final String name;
        private final byte[] value;

        Field(String name, byte[] value) {
            this.name = name;
            this.value = value;
        }

        public String key() {
            return name;
        }

        public byte[] value() {
            return value;
        }
    }

    public ProducerRecord serialize(
            Object element, KafkaRecordSerializationSchema.KafkaSinkContext context, Long arrived) {
        KafkaRecord record = (KafkaRecord) element;
        ProducerRecord sent = new ProducerRecord(record.topic, null, record.timestamp, record.key, record.value);
        if (record.headerNames != null) {
            Headers headers = sent.headers();
            for (int header = 0; header < record.headerNames.length; header++) {
                if (record.headerValues[header] != null) {
                    headers.add(new Field(record.headerNames[header], record.headerValues[header]));
                }
            }
        }
        return sent;
    }
}
