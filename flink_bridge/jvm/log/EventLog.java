package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * One server of lines as a Flink source of blocks of lines (byte[], see LineCutter). The log is one split, and its
 * state is the position in the log: a checkpoint has the position that belongs to the blocks before its barrier.
 */
public class EventLog implements Source {

    private final String options; // JSON, see flink_bridge/sources/log_source.py

    public EventLog(String options) {
        this.options = options;
    }

    public Boundedness getBoundedness() {
        return Boundedness.CONTINUOUS_UNBOUNDED;
    }

    public SourceReader createReader(SourceReaderContext context) throws Exception {
        return new Reader(parsed(options), context);
    }

    public SplitEnumerator createEnumerator(SplitEnumeratorContext context) throws Exception {
        String start = (String) parsed(options).get("start");
        return new Enumerator(context, new Log(LogPosition.none(start)));
    }

    public SplitEnumerator restoreEnumerator(SplitEnumeratorContext context, Object log) throws Exception {
        return new Enumerator(context, (Log) log);
    }

    public SimpleVersionedSerializer getSplitSerializer() {
        return new Text();
    }

    public SimpleVersionedSerializer getEnumeratorCheckpointSerializer() {
        return new Text();
    }

    private static Map parsed(String options) throws IOException {
        return (Map) new ObjectMapper().readValue(options, Map.class);
    }

    /** The log, and the position from which reading continues. */
    public static class Log implements SourceSplit {
        final LogPosition position;

        Log(LogPosition position) {
            this.position = position;
        }

        public String splitId() {
            return "log";
        }
    }

    /** Stores a log as text; an empty text means that there is no log. */
    public static class Text implements SimpleVersionedSerializer {
        public int getVersion() {
            return 1;
        }

        public byte[] serialize(Object log) {
            String text = log == null ? "" : ((Log) log).position.toString();
            return text.getBytes(StandardCharsets.UTF_8);
        }

        public Object deserialize(int version, byte[] bytes) {
            String text = new String(bytes, StandardCharsets.UTF_8);
            return text.isEmpty() ? null : new Log(LogPosition.parse(text));
        }
    }

    /** Gives the one log to the first reader; from then on it is in the reader's state. */
    public static class Enumerator implements SplitEnumerator {
        private final SplitEnumeratorContext context;
        private Log unassigned; // null once a reader has it

        Enumerator(SplitEnumeratorContext context, Log unassigned) {
            this.context = context;
            this.unassigned = unassigned;
        }

        public void start() { }

        public void handleSplitRequest(int subtask, String hostname) { }

        public void addReader(int subtask) {
            if (unassigned != null) {
                context.assignSplit(unassigned, subtask);
                unassigned = null;
            }
        }

        public void addSplitsBack(List logs, int subtask) {
            if (!logs.isEmpty()) {
                unassigned = (Log) logs.get(0);
            }
        }

        public Object snapshotState(long checkpoint) {
            return unassigned;
        }

        public void close() { }
    }

    /** Polls a LogReader, which reads in its own thread. */
    public static class Reader implements SourceReader {
        private final Map options;
        private final Counter bytes;
        private final CompletableFuture assigned = new CompletableFuture();
        private final MetricGroup metrics;
        private LogReader reader;
        private LogPosition position; // after the last emitted line

        Reader(Map options, SourceReaderContext context) {
            this.options = options;
            metrics = context.metricGroup();
            bytes = metrics.counter("bytes");
        }

        public void start() { }

        public void addSplits(List logs) {
            position = ((Log) logs.get(0)).position;
            reader = new LogReader(options, position);
            gauge("connected");
            gauge("plain");
            gauge("reconnects");
            gauge("gaps");
            gauge("lost_bytes");
            gauge("offset");
            gauge("skipped_bytes");
            gauge("buffered");
            reader.start();
            assigned.complete(null);
        }

        public void notifyNoMoreSplits() { }

        public InputStatus pollNext(ReaderOutput output) throws Exception {
            LogReader.Block block = reader == null ? null : polled();
            if (block == null) {
                return InputStatus.NOTHING_AVAILABLE;
            }
            if (block.lines.length > 0) {
                output.collect(block.lines);
                bytes.inc(block.lines.length);
            }
            position = block.end;
            return InputStatus.MORE_AVAILABLE;
        }

        /** With --on-gap fail, a gap ends the job: after a restart, the same gap would be found again. */
        private LogReader.Block polled() {
            try {
                return reader.poll();
            } catch (LogReader.GapException gap) {
                throw new SuppressRestartsException(new IOException(gap.getMessage()));
            }
        }

        public CompletableFuture isAvailable() {
            return reader == null ? assigned : reader.available();
        }

        public List snapshotState(long checkpoint) {
            ArrayList logs = new ArrayList();
            if (position != null) {
                logs.add(new Log(position));
            }
            return logs;
        }

        public void close() {
            if (reader != null) {
                reader.close();
            }
        }

        private void gauge(final String name) {
            metrics.gauge(name, new Gauge() {
                public Object getValue() {
                    return Long.valueOf(value(name));
                }
            });
        }

        private long value(String name) {
            if (name.equals("connected")) {
                return reader.connected ? 1 : 0;
            }
            if (name.equals("plain")) {
                return reader.plain ? 1 : 0;
            }
            if (name.equals("reconnects")) {
                return reader.reconnects;
            }
            if (name.equals("gaps")) {
                return reader.gaps;
            }
            if (name.equals("lost_bytes")) {
                return reader.lostBytes;
            }
            if (name.equals("skipped_bytes")) {
                return reader.skippedBytes;
            }
            return name.equals("offset") ? position.offset : reader.buffered();
        }
    }
}
