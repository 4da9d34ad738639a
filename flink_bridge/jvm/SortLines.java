import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.graph.StreamConfig;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.apache.flink.streaming.runtime.tasks.StreamTask;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.runtime.operators.TableStreamOperator;

/**
 * Sorts lines into events and rejected lines, each parsed once.
 *
 * In: blocks of lines (byte[], LF between them). Out: rows (key, line, topic, headers, timestamp) for the
 * Kafka table. The only reference is a JSON text; flink_bridge/jvm/sorting.py writes it.
 */
public class SortLines extends TableStreamOperator implements OneInputStreamOperator {

    private static final int MAX_REJECTED = 900000; // a record above max.request.size would fail the job
    private static final long MAX_AHEAD = 55 * 60 * 1000L; // a broker refuses what is an hour ahead of its clock
    private static final int DAMAGED = 0xFFFD; // what decoders put in place of bytes that are no UTF-8
    private static final int BYTE_ORDER_MARK = 0xFEFF;
    private static final long NO_TIME = Long.MIN_VALUE;

    /** A name in an object: a field that is read, if it has a slot, and the names inside it. */
    static class Name {
        int slot = -1;
        final Map inner = new HashMap();
    }

    private final JsonFactory json = new JsonFactory().configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false);
    private final Name root = new Name();
    private final String[] values; // of the line at hand, one slot for each field that is read
    private final int key;
    private final int timestamp; // -1: the row has no timestamp
    private final List required; // pairs of a slot and the name for people
    private final List headers; // pairs of a slot and the header's name
    private final int maxLine;
    private final BinaryStringData topic;
    private final BinaryStringData rejectedTopic;
    private final byte[] endpoint;
    private final StreamRecord record = new StreamRecord(null);
    private transient Counter events;
    private transient Counter rejected;
    private String second = "none yet"; // neighbours mostly share it, so it is parsed once for them all
    private long secondInMillis;

    public SortLines(
            Object[] references, StreamTask task, StreamConfig config, Output output, ProcessingTimeService clock)
            throws IOException {
        Map options = (Map) new ObjectMapper().readValue((String) references[0], Map.class);
        List paths = (List) options.get("fields");
        values = new String[paths.size()];
        for (int slot = 0; slot < values.length; slot++) {
            Name name = root;
            for (Object step : (List) paths.get(slot)) {
                if (!name.inner.containsKey(step)) {
                    name.inner.put(step, new Name());
                }
                name = (Name) name.inner.get(step);
            }
            name.slot = slot;
        }
        key = ((Integer) options.get("key")).intValue();
        timestamp = ((Integer) options.get("timestamp")).intValue();
        required = (List) options.get("required");
        headers = (List) options.get("headers");
        maxLine = ((Integer) options.get("max_line")).intValue();
        topic = BinaryStringData.fromString((String) options.get("topic"));
        rejectedTopic = BinaryStringData.fromString((String) options.get("rejected_topic"));
        endpoint = utf8((String) options.get("endpoint"));
        setup(task, config, output);
        setProcessingTimeService(clock);
    }

    public void open() throws Exception {
        super.open();
        events = getMetricGroup().counter("events");
        rejected = getMetricGroup().counter("rejected");
    }

    public void processElement(StreamRecord element) throws IOException {
        byte[] block = (byte[]) element.getValue();
        if (block.length > 0 && block[0] == '\n') {
            sortMarked(block);
            return;
        }
        String bytes = new String(block, StandardCharsets.ISO_8859_1); // its indexOf is the fastest there is
        int begin = 0;
        for (int end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', begin)) {
            sort(Arrays.copyOfRange(block, begin, end));
            begin = end + 1;
        }
        sort(begin == 0 ? block : Arrays.copyOfRange(block, begin, block.length));
    }

    /** What is no whole line, see LineCutter: LF, reason, LF, bytes. A whole event that only lacks its LF is one. */
    private void sortMarked(byte[] block) throws IOException {
        int end = 1;
        while (block[end] != '\n') {
            end++;
        }
        String reason = new String(block, 1, end - 1, StandardCharsets.US_ASCII);
        byte[] line = Arrays.copyOfRange(block, end + 1, block.length);
        sort(line, reason.equals("torn") && reasonAgainst(line) == null ? null : reason);
    }

    private void sort(byte[] line) throws IOException {
        if (line.length > 0) {
            sort(line, reasonAgainst(line));
        }
    }

    private void sort(byte[] line, String reason) throws IOException {
        GenericRowData row = new GenericRowData(timestamp < 0 ? 4 : 5);
        if (reason == null) {
            events.inc();
            row.setField(0, utf8(values[key]));
            row.setField(1, line);
            row.setField(2, topic);
            row.setField(3, foundHeaders());
            if (timestamp >= 0) {
                row.setField(4, TimestampData.fromEpochMillis(milliseconds(values[timestamp])));
            }
        } else {
            rejected.inc();
            Map why = new HashMap();
            why.put(BinaryStringData.fromString("reason"), utf8(reason));
            why.put(BinaryStringData.fromString("endpoint"), endpoint);
            row.setField(1, line.length > MAX_REJECTED ? Arrays.copyOf(line, MAX_REJECTED) : line);
            row.setField(2, rejectedTopic);
            row.setField(3, new GenericMapData(why));
        }
        output.collect(record.replace(row));
    }

    /** Why the line is no event; null when it is one, and then its fields are in `values`. */
    private String reasonAgainst(byte[] line) throws IOException {
        if (line.length > maxLine) {
            return "too-long";
        }
        // Jackson takes a byte order mark or a NUL at the start for a sign of another encoding.
        String text = new String(line, StandardCharsets.UTF_8);
        if (text.indexOf(DAMAGED) >= 0 || text.indexOf(0) >= 0 || text.charAt(0) == BYTE_ORDER_MARK) {
            return "not-json";
        }
        Arrays.fill(values, null);
        JsonParser parser = json.createParser(line); // its parser of chars is lax about hex digits
        JsonToken first;
        try {
            first = parser.nextToken();
            if (first == JsonToken.START_OBJECT) {
                read(parser, root);
            } else {
                parser.skipChildren();
            }
            if (first == null || parser.nextToken() != null) { // nothing, or something behind the value
                return "not-json";
            }
        } catch (IOException broken) {
            return "not-json";
        } finally {
            parser.close(); // gives its buffers back for the next line
        }
        if (first != JsonToken.START_OBJECT) {
            return "not-an-object";
        }
        for (Object field : required) {
            if (value(field) == null) {
                return "missing:" + name(field);
            }
        }
        return timestamp < 0 || isAcceptable(milliseconds(values[timestamp])) ? null : "bad-timestamp";
    }

    private void read(JsonParser parser, Name object) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            Name name = (Name) object.inner.get(parser.currentName());
            JsonToken token = parser.nextToken();
            if (name == null) {
                parser.skipChildren();
                continue;
            }
            forget(name); // of two members with one name the last counts
            if (token == JsonToken.START_OBJECT) {
                read(parser, name);
            } else if (token == JsonToken.START_ARRAY) {
                parser.skipChildren();
            } else if (token != JsonToken.VALUE_NULL && name.slot >= 0) {
                values[name.slot] = parser.getText();
            }
        }
    }

    private void forget(Name name) {
        if (name.slot >= 0) {
            values[name.slot] = null;
        }
        if (!name.inner.isEmpty()) {
            for (Object inner : name.inner.values()) {
                forget((Name) inner);
            }
        }
    }

    /** A field that is null or absent makes no header. */
    private GenericMapData foundHeaders() {
        if (headers.isEmpty()) {
            return null;
        }
        Map found = new HashMap();
        for (Object header : headers) {
            if (value(header) != null) {
                found.put(BinaryStringData.fromString(name(header)), utf8(value(header)));
            }
        }
        return new GenericMapData(found);
    }

    private String value(Object pair) {
        return values[((Integer) ((List) pair).get(0)).intValue()];
    }

    private static String name(Object pair) {
        return (String) ((List) pair).get(1);
    }

    private static boolean isAcceptable(long millis) {
        return millis >= 0 && millis <= System.currentTimeMillis() + MAX_AHEAD;
    }

    /** ISO 8601 with Z, an offset or nothing (then UTC), since 1970; NO_TIME when it is something else. */
    private long milliseconds(String text) {
        if (text.length() < 19) {
            return NO_TIME;
        }
        try {
            if (!text.startsWith(second)) {
                String found = text.substring(0, 19);
                secondInMillis = LocalDateTime.parse(found).toEpochSecond(ZoneOffset.UTC) * 1000;
                second = found;
            }
            int end = 19;
            long fraction = 0;
            if (end < text.length() && text.charAt(end) == '.') {
                long weight = 100;
                for (end++; end < text.length() && Character.isDigit(text.charAt(end)); end++) {
                    fraction += weight * Character.getNumericValue(text.charAt(end));
                    weight /= 10;
                }
            }
            String zone = text.substring(end);
            long offset = zone.isEmpty() || zone.equals("Z") ? 0 : ZoneOffset.of(zone).getTotalSeconds() * 1000L;
            return secondInMillis + fraction - offset;
        } catch (DateTimeException none) {
            return NO_TIME;
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
