package winevent;

import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Makes a record of Kafka's client from a KafkaRecord. The key decides the partition. */
public class KafkaRecords implements KafkaRecordSerializationSchema {

    public ProducerRecord serialize(
            Object element, KafkaRecordSerializationSchema.KafkaSinkContext context, Long arrived) {
        KafkaRecord record = (KafkaRecord) element;
        ProducerRecord sent = new ProducerRecord(record.topic, null, record.timestamp, record.key, record.value);
        if (record.headerNames != null) {
            Headers headers = sent.headers();
            for (int header = 0; header < record.headerNames.length; header++) {
                if (record.headerValues[header] != null) {
                    headers.add(new RecordHeader(record.headerNames[header], record.headerValues[header]));
                }
            }
        }
        return sent;
    }
}
