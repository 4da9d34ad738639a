package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Sorts lines into events and rejected lines, each parsed once.
 *
 * Input: blocks of lines (byte[], LF between them), or the marked bytes of LineCutter.java. Output: KafkaRecord.
 */
public class SortLines extends ProcessFunction {

    private static final int ROOM = 200; // bytes of a record for Kafka's own fields and the names of two headers
    private static final byte LF = 10;
    private static final String[] REASONS = {
        "not-json", "not-an-object", "too-long", "too-deep", "bom", "utf-16", "nul", "syslog-prefix", "octet-count",
        "several-values", "torn", "bad-timestamp", "ahead", "too-old"
    };

    private final String options; // JSON, see flink_bridge/jvm/sorting.py
    private transient EventLine line;
    private transient boolean timestamps;
    private transient int maxRejected;
    private transient String topic;
    private transient String rejectedTopic;
    private transient String endpoint;
    private transient String[] headerNames;
    private transient String[] rejectedNames;
    private transient RejectionWatch watch;
    private transient Map rejectedBy; // reason to Counter
    private transient Counter events;
    private transient Counter rejected;
    private transient Counter tooOld;
    private transient Counter withoutTime;
    private transient Collector records;

    public SortLines(String options) {
        this.options = options;
    }

    public void open(OpenContext context) throws IOException {
        Map told = (Map) new ObjectMapper().readValue(options, Map.class);
        line = new EventLine(told);
        timestamps = ((Integer) told.get("timestamp")).intValue() >= 0;
        topic = (String) told.get("topic");
        rejectedTopic = (String) told.get("rejected_topic");
        endpoint = (String) told.get("endpoint");
        rejectedNames = new String[] {"reason", "endpoint"};
        headerNames = names((List) told.get("headers"));
        count((List) told.get("required"));
        int most = ((Integer) told.get("max_rejected")).intValue();
        maxRejected = Math.max(0, most - ROOM - longestReason() - bytes(endpoint));
        watch = new RejectionWatch(endpoint, rejectedTopic, getRuntimeContext().getMetricGroup());
    }

    private void count(List required) {
        MetricGroup metrics = getRuntimeContext().getMetricGroup();
        events = metrics.counter("events");
        rejected = metrics.counter("rejected");
        tooOld = metrics.counter("too_old");
        withoutTime = metrics.counter("without_time");
        rejectedBy = new HashMap();
        String[] missing = names(required);
        for (int field = 0; field < missing.length; field++) {
            countReason(metrics, "missing:" + missing[field]);
        }
        for (int reason = 0; reason < REASONS.length; reason++) {
            countReason(metrics, REASONS[reason]);
        }
    }

    /** Makes a counter with 0 for each reason at the start, so that an alert also sees the first rejected line. */
    private void countReason(MetricGroup metrics, String reason) {
        // The key may be required by name, too. Flink would register only the first of two equal counters.
        if (!rejectedBy.containsKey(reason)) {
            rejectedBy.put(reason, metrics.addGroup("reason", reason).counter("rejected_lines"));
        }
    }

    private int longestReason() {
        int longest = 0;
        for (Object reason : rejectedBy.keySet()) {
            longest = Math.max(longest, bytes((String) reason));
        }
        return longest;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private static String[] names(List pairs) {
        String[] names = new String[pairs.size()];
        for (int pair = 0; pair < names.length; pair++) {
            names[pair] = (String) ((List) pairs.get(pair)).get(1);
        }
        return names;
    }

    public void close() {
        if (watch != null) {
            watch.close();
        }
    }

    public void processElement(Object element, ProcessFunction.Context context, Collector output) {
        byte[] block = (byte[]) element;
        records = output;
        long eventsBefore = events.getCount();
        if (block.length > 0 && block[0] == LF) {
            sortMarked(block);
        } else {
            sortLines(block);
        }
        watch.events(events.getCount() - eventsBefore);
    }

    private void sortLines(byte[] block) {
        String bytes = new String(block, StandardCharsets.UTF_8);
        boolean sound = EventLine.isSound(bytes);
        if (bytes.length() != block.length) { // the positions of characters differ from those of bytes
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

    /**
     * Bytes that are not a whole line (see LineCutter): LF, reason, LF, bytes.
     * They are an event if only the LF at the end is missing.
     */
    private void sortMarked(byte[] block) {
        int begin = 1;
        while (block[begin] != LF) {
            begin++;
        }
        String marked = new String(block, 1, begin - 1, StandardCharsets.US_ASCII);
        begin++;
        String reason = line.reasonOfPart(marked, block, begin, block.length, System.currentTimeMillis());
        if (reason == null) {
            emit(block, begin, block.length);
        } else {
            reject(reason, block, begin, block.length);
        }
    }

    private void sort(byte[] block, int begin, int end, boolean sound, long now) {
        if (begin == end || end - begin == 1 && block[begin] == '\r') {
            return; // an empty line
        }
        String reason = line.reasonAgainst(block, begin, end, sound, now);
        if (reason == null) {
            emit(block, begin, end);
        } else {
            reject(reason, block, begin, end);
        }
    }

    /** Sends the event that `line` has just read. */
    private void emit(byte[] block, int begin, int end) {
        events.inc();
        Long timestamp = null;
        if (timestamps) {
            if (line.time() == EventTime.NONE) {
                withoutTime.inc();
            } else if (line.isLate()) {
                tooOld.inc();
            } else {
                timestamp = Long.valueOf(line.time());
            }
        }
        byte[] value = begin == 0 && end == block.length ? block : Arrays.copyOfRange(block, begin, end);
        if (line.isLate()) {
            records.collect(late(value));
            return;
        }
        boolean plain = headerNames.length == 0;
        byte[][] values = plain ? null : (byte[][]) line.headers().clone();
        records.collect(new KafkaRecord(topic, line.key(), value, timestamp, plain ? null : headerNames, values));
    }

    /** For an event that is too old for the topic: the record gets the time of writing, a header the event's own. */
    private KafkaRecord late(byte[] value) {
        int count = headerNames.length;
        String[] names = (String[]) Arrays.copyOf(headerNames, count + 1);
        byte[][] values = (byte[][]) Arrays.copyOf(line.headers(), count + 1);
        names[count] = "event-time";
        values[count] = Instant.ofEpochMilli(line.time()).toString().getBytes(StandardCharsets.US_ASCII);
        return new KafkaRecord(topic, line.key(), value, null, names, values);
    }

    private void reject(String reason, byte[] block, int begin, int end) {
        rejected.inc();
        ((Counter) rejectedBy.get(reason)).inc();
        watch.rejected(reason);
        byte[] value = Arrays.copyOfRange(block, begin, Math.min(end, begin + maxRejected));
        byte[][] why = {reason.getBytes(StandardCharsets.UTF_8), endpoint.getBytes(StandardCharsets.UTF_8)};
        records.collect(new KafkaRecord(rejectedTopic, null, value, null, rejectedNames, why));
    }
}
