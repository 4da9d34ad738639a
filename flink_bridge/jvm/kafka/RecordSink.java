package winevent;

import java.io.IOException;
import java.util.Collection;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;

/** Flink's KafkaSink with writers that never fail when they are closed, see RecordWriter. */
public class RecordSink implements Sink, SupportsWriterState, SupportsCommitter, SupportsPostCommitTopology {

    private static final long serialVersionUID = 1L;

    private final Sink sink;

    public RecordSink(Sink sink) {
        this.sink = sink;
    }

    public SinkWriter createWriter(WriterInitContext context) throws IOException {
        return new RecordWriter(sink.createWriter(context));
    }

    public StatefulSinkWriter restoreWriter(WriterInitContext context, Collection states) throws IOException {
        return new RecordWriter(((SupportsWriterState) sink).restoreWriter(context, states));
    }

    public SimpleVersionedSerializer getWriterStateSerializer() {
        return ((SupportsWriterState) sink).getWriterStateSerializer();
    }

    public Committer createCommitter(CommitterInitContext context) throws IOException {
        return ((SupportsCommitter) sink).createCommitter(context);
    }

    public SimpleVersionedSerializer getCommittableSerializer() {
        return ((SupportsCommitter) sink).getCommittableSerializer();
    }

    public void addPostCommitTopology(DataStream committables) {
        ((SupportsPostCommitTopology) sink).addPostCommitTopology(committables);
    }
}
