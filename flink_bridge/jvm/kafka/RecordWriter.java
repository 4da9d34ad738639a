package winevent;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.sink2.CommittingSinkWriter;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Flink's KafkaWriter, except that a failure to close it is only logged.
 *
 * KafkaWriter reports an earlier failure again when it is closed. Flink then ends the whole TaskManager, with all
 * other jobs in it. Nothing is lost if the failure is only logged: a task that ends normally has flushed before, and
 * any other task is started again from its checkpoint.
 */
public class RecordWriter implements CommittingSinkWriter, StatefulSinkWriter {

    private static final Logger LOG = LoggerFactory.getLogger(RecordWriter.class);

    private final SinkWriter writer;

    public RecordWriter(SinkWriter writer) {
        this.writer = writer;
    }

    public void write(Object record, SinkWriter.Context context) throws IOException, InterruptedException {
        writer.write(record, context);
    }

    public void writeWatermark(Watermark mark) throws IOException, InterruptedException {
        writer.writeWatermark(mark);
    }

    public void flush(boolean atEnd) throws IOException, InterruptedException {
        writer.flush(atEnd);
    }

    public Collection prepareCommit() throws IOException, InterruptedException {
        return ((CommittingSinkWriter) writer).prepareCommit();
    }

    public List snapshotState(long checkpoint) throws IOException {
        return ((StatefulSinkWriter) writer).snapshotState(checkpoint);
    }

    public void close() {
        try {
            writer.close();
        } catch (Exception e) {
            LOG.warn("The Kafka writer was closed after a failure: {}", String.valueOf(e));
        }
    }
}
