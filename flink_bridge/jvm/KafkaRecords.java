package winevent;

import java.util.ArrayList;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;

/** What KafkaRecord says, as Kafka's client takes it: the key decides about the partition. */
public class KafkaRecords implements KafkaRecordSerializationSchema {

    public ProducerRecord serialize(
            Object element, KafkaRecordSerializationSchema.KafkaSinkContext context, Long arrived) {
        KafkaRecord record = (KafkaRecord) element;
        ArrayList headers = null;
        if (record.headerNames != null) {
            headers = new ArrayList(record.headerNames.length);
            for (int header = 0; header < record.headerNames.length; header++) {
                if (record.headerValues[header] != null) {
                    headers.add(new RecordHeader(record.headerNames[header], record.headerValues[header]));
                }
            }
        }
        return new ProducerRecord(record.topic, null, record.timestamp, record.key, record.value, headers);
    }
}
