import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.operators.ProcessingTimeService.ProcessingTimeCallback;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.operators.TableStreamOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import winevent.EventLine;
import winevent.EventTime;

/**
 * Sorts lines into events and rejected lines, each parsed once.
 *
 * In: blocks of lines (byte[], LF between them), or what LineCutter.java marks. Out: rows (key, line, topic,
 * headers, timestamp) for the Kafka table. The only reference is a JSON text; flink_bridge/jvm/sorting.py
 * writes it.
 */
public class SortLines extends TableStreamOperator implements OneInputStreamOperator {

    private static final Logger LOG = LoggerFactory.getLogger("win_event_bridge.SortLines");
    private static final int ROOM = 400; // of a rejected record for its headers and what Kafka adds
    private static final long LOOK_EVERY = 10 * 1000L; // milliseconds
    private static final long MINUTE = 60 * 1000L;
    private static final int LEAST_LINES = 10; // of a minute that is judged
    private static final byte LF = 10;
    private static final String[] REASONS = {
        "not-json", "not-an-object", "too-long", "too-deep", "bom", "utf-16", "nul", "syslog-prefix", "octet-count",
        "several-values", "torn", "bad-timestamp", "ahead", "too-old"
    };

    /** A few headers in their order. It is read once, by the writer in this thread, so it needs no hashing. */
    static class Headers implements MapData {
        private final Object[] names;
        private final Object[] values;

        Headers(Object[] names, Object[] values) {
            this.names = names;
            this.values = values;
        }

        public int size() {
            return names.length;
        }

        public ArrayData keyArray() {
            return new GenericArrayData(names);
        }

        public ArrayData valueArray() {
            return new GenericArrayData(values);
        }
    }

    private final EventLine line;
    private final boolean timestamps;
    private final int maxRejected;
    private final BinaryStringData topic;
    private final BinaryStringData rejectedTopic;
    private final Object[] headerNames;
    private final Object[] rejectedNames = {text("reason"), text("endpoint")};
    private final String endpoint;
    private final Map rejectedBy = new HashMap(); // reason to Counter
    private final StreamRecord record = new StreamRecord(null);
    private transient Counter events;
    private transient Counter rejected;
    private transient Counter tooOld;
    private transient Counter withoutTime;
    private Map reasonsOfMinute = new HashMap(); // reason to long[]
    private long minuteBegan;
    private long linesBefore; // the minute
    private long rejectedBefore;
    private boolean mostlyRejected;

    public SortLines(
            Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService clock)
            throws IOException {
        Map options = (Map) new ObjectMapper().readValue((String) references[0], Map.class);
        line = new EventLine(options);
        timestamps = ((Integer) options.get("timestamp")).intValue() >= 0;
        maxRejected = ((Integer) options.get("max_rejected")).intValue() - ROOM;
        topic = text((String) options.get("topic"));
        rejectedTopic = text((String) options.get("rejected_topic"));
        endpoint = (String) options.get("endpoint");
        List headers = (List) options.get("headers");
        headerNames = new Object[headers.size()];
        for (int header = 0; header < headerNames.length; header++) {
            headerNames[header] = text((String) ((List) headers.get(header)).get(1));
        }
        List required = (List) options.get("required");
        for (int field = 0; field < required.size(); field++) {
            rejectedBy.put("missing:" + ((List) required.get(field)).get(1), null);
        }
        for (int reason = 0; reason < REASONS.length; reason++) {
            rejectedBy.put(REASONS[reason], null);
        }
        setup(task, config, output);
        setProcessingTimeService(clock);
    }

    public void open() throws Exception {
        super.open();
        events = getMetricGroup().counter("events");
        rejected = getMetricGroup().counter("rejected");
        tooOld = getMetricGroup().counter("too_old");
        withoutTime = getMetricGroup().counter("without_time");
        for (Object reason : rejectedBy.keySet().toArray()) {
            rejectedBy.put(reason, getMetricGroup().addGroup("reason", (String) reason).counter("rejected_lines"));
        }
        getMetricGroup().gauge("mostly_rejected", new Gauge() {
            public Object getValue() {
                return Integer.valueOf(mostlyRejected ? 1 : 0);
            }
        });
        minuteBegan = getProcessingTimeService().getCurrentProcessingTime();
        getProcessingTimeService().scheduleAtFixedRate(new ProcessingTimeCallback() {
            public void onProcessingTime(long now) {
                look(now);
            }
        }, LOOK_EVERY, LOOK_EVERY);
    }

    public void processElement(StreamRecord element) {
        byte[] block = (byte[]) element.getValue();
        if (block.length > 0 && block[0] == LF) {
            sortMarked(block);
            return;
        }
        String bytes = new String(block, StandardCharsets.UTF_8);
        boolean sound = EventLine.isSound(bytes);
        if (bytes.length() != block.length) { // places of characters are not those of bytes
            bytes = new String(block, StandardCharsets.ISO_8859_1);
        }
        long now = System.currentTimeMillis();
        int begin = 0;
        for (int end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', begin)) {
            sort(block, begin, end, sound, now);
            begin = end + 1;
        }
        sort(block, begin, block.length, sound, now);
    }

    /** What is no whole line, see LineCutter: LF, reason, LF, bytes. A whole event that only lacks its LF is one. */
    private void sortMarked(byte[] block) {
        int begin = 1;
        while (block[begin] != LF) {
            begin++;
        }
        String reason = new String(block, 1, begin - 1, StandardCharsets.US_ASCII);
        begin++;
        long now = System.currentTimeMillis();
        boolean whole = reason.equals("torn") && begin < block.length
                && line.reasonAgainst(block, begin, block.length, false, now) == null;
        if (whole) {
            emit(block, begin, block.length);
        } else {
            reject(reason, block, begin, block.length);
        }
    }

    private void sort(byte[] block, int begin, int end, boolean sound, long now) {
        if (begin == end) {
            return;
        }
        String reason = line.reasonAgainst(block, begin, end, sound, now);
        if (reason == null) {
            emit(block, begin, end);
        } else {
            reject(reason, block, begin, end);
        }
    }

    /** The event that `line` has just read. */
    private void emit(byte[] block, int begin, int end) {
        events.inc();
        GenericRowData row = new GenericRowData(timestamps ? 5 : 4);
        row.setField(0, line.key());
        row.setField(1, begin == 0 && end == block.length ? block : Arrays.copyOfRange(block, begin, end));
        row.setField(2, topic);
        row.setField(3, headers());
        if (timestamps) {
            if (line.time() == EventTime.NONE) {
                withoutTime.inc();
            } else if (line.isLate()) {
                tooOld.inc();
            } else {
                row.setField(4, TimestampData.fromEpochMillis(line.time()));
            }
        }
        output.collect(record.replace(row));
    }

    private MapData headers() {
        byte[][] values = line.headers();
        int count = line.isLate() ? 1 : 0;
        for (int header = 0; header < values.length; header++) {
            count += values[header] == null ? 0 : 1;
        }
        if (count == 0) {
            return null;
        }
        Object[] names = headerNames;
        Object[] found = new Object[count];
        if (count == values.length && !line.isLate()) {
            System.arraycopy(values, 0, found, 0, count);
            return new Headers(names, found);
        }
        names = new Object[count];
        int place = 0;
        for (int header = 0; header < values.length; header++) {
            if (values[header] != null) {
                names[place] = headerNames[header];
                found[place++] = values[header];
            }
        }
        if (line.isLate()) {
            names[place] = text("event-time");
            found[place] = Instant.ofEpochMilli(line.time()).toString().getBytes(StandardCharsets.US_ASCII);
        }
        return new Headers(names, found);
    }

    private void reject(String reason, byte[] block, int begin, int end) {
        rejected.inc();
        ((Counter) rejectedBy.get(reason)).inc();
        long[] count = (long[]) reasonsOfMinute.get(reason);
        if (count == null) {
            count = new long[1];
            reasonsOfMinute.put(reason, count);
        }
        count[0]++;
        Object[] why = {reason.getBytes(StandardCharsets.UTF_8), endpoint.getBytes(StandardCharsets.UTF_8)};
        GenericRowData row = new GenericRowData(timestamps ? 5 : 4);
        row.setField(1, Arrays.copyOfRange(block, begin, Math.min(end, begin + maxRejected)));
        row.setField(2, rejectedTopic);
        row.setField(3, new Headers(rejectedNames, why));
        output.collect(record.replace(row));
    }

    /** Every few seconds: says so when more than half of the lines of this minute were rejected. */
    private void look(long now) {
        long wrong = rejected.getCount() - rejectedBefore;
        long lines = events.getCount() + rejected.getCount() - linesBefore;
        boolean over = now - minuteBegan >= MINUTE;
        boolean mostly = lines >= LEAST_LINES && wrong * 2 > lines;
        if (mostly && !mostlyRejected || mostly && over) {
            LOG.warn("{} of the last {} lines from {} were rejected, most of them as {}: they are in the topic {}",
                    new Object[] {Long.valueOf(wrong), Long.valueOf(lines), endpoint, mainReason(), rejectedTopic});
        }
        mostlyRejected = mostly || mostlyRejected && !over;
        if (over) {
            minuteBegan = now;
            rejectedBefore = rejected.getCount();
            linesBefore = events.getCount() + rejectedBefore;
            reasonsOfMinute = new HashMap();
        }
    }

    private String mainReason() {
        String main = "";
        long most = 0;
        for (Object reason : reasonsOfMinute.keySet()) {
            long count = ((long[]) reasonsOfMinute.get(reason))[0];
            if (count > most) {
                main = (String) reason;
                most = count;
            }
        }
        return main;
    }

    private static BinaryStringData text(String text) {
        return BinaryStringData.fromString(text);
    }
}
