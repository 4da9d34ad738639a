package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadConstraints;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.exc.StreamConstraintsException;

/**
 * Decides whether a line is a valid event, and finds the key, the time and the headers of its record. Pure: no
 * Flink, no clock. tests/conformance/ checks that it gives the same answers as the tools in Python.
 *
 * A line is not copied out of its block: it is `block[begin]` to `block[end - 1]`. The results of `reasonAgainst`
 * are valid until its next call.
 */
public class EventLine {

    private static final int DAMAGED = 0xFFFD; // decoders put it in place of bytes that are not UTF-8
    private static final int MOST_DEPTH = 1000;
    private static final int RECORD_OVERHEAD = 100; // a batch of one record: 61, 21 and the lengths of key and value
    private static final int HEADER_OVERHEAD = 10;
    private static final int EVENT_TIME_HEADER = 40; // name, text and lengths of the header of an event that is too old
    private static final byte[] PRESENT = {}; // in place of a text that nobody reads
    private static final byte[] HALF = {}; // in place of a text with half a surrogate pair

    /** A name in an object, with the names inside it. If it has a slot, the value of this field is kept. */
    static class Name {
        int slot = -1;
        long seen; // the number of the line that had it last
        final Map inner = new HashMap();
    }

    private final JsonFactory json = new JsonFactory().configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false);
    private final Name root = new Name();
    private final byte[][] values; // of the current line, one slot for each place that is read: UTF-8
    private final String[] times; // the same for the places of the time: text
    private final boolean[] isRead; // false: only the presence of the field counts, not its text
    private final boolean[] isTime;
    private final int[][] slots; // for each field: its possible places, in order
    private final int key;
    private final int timestamp; // -1: it is not read
    private final List required; // pairs of a field and the name for people
    private final int[] headerFields;
    private final int[] headerSizes; // without the value
    private final int maxLine;
    private final int maxRecord;
    private final boolean decoded; // the source has decoded the bytes: any bytes may be U+FFFD now
    private final EventTime clock;
    private final long mostAhead;
    private final long mostBehind; // the broker refuses older events
    private final long retention; // the broker deletes older events
    private final String tooOld; // keep, now, reject

    private JsonParser parser; // reads the lines of a block one after the other; null: none yet
    private byte[] parsed; // that block
    private int origin; // the place in it where the parser began
    private int next; // where the parser expects the next line
    private byte[] odd; // a block with a line that is no event: its later lines are parsed one by one

    private long number; // the number of the line
    private byte[] foundKey;
    private byte[][] foundHeaders;
    private long time = EventTime.NONE;
    private boolean late;

    /** flink_bridge/jvm/sorting.py describes `options`. */
    public EventLine(Map options) {
        json.setStreamReadConstraints(StreamReadConstraints.builder()
                .maxNestingDepth(MOST_DEPTH)
                .maxNumberLength(Integer.MAX_VALUE) // a line is bounded as a whole
                .maxStringLength(Integer.MAX_VALUE)
                .maxNameLength(Integer.MAX_VALUE)
                .build());
        key = number(options, "key");
        timestamp = number(options, "timestamp");
        required = (List) options.get("required");
        List places = (List) options.get("places");
        values = new byte[places.size()][];
        times = new String[values.length];
        isRead = new boolean[values.length];
        isTime = new boolean[values.length];
        for (int slot = 0; slot < values.length; slot++) {
            plant((List) places.get(slot), slot);
        }
        List fields = (List) options.get("fields");
        slots = new int[fields.size()][];
        for (int field = 0; field < slots.length; field++) {
            List ofField = (List) fields.get(field);
            slots[field] = new int[ofField.size()];
            for (int place = 0; place < slots[field].length; place++) {
                slots[field][place] = ((Integer) ofField.get(place)).intValue();
            }
        }
        List headers = (List) options.get("headers"); // pairs of a field and the header's name
        headerFields = new int[headers.size()];
        headerSizes = new int[headerFields.length];
        for (int header = 0; header < headerFields.length; header++) {
            headerFields[header] = field(headers.get(header));
            headerSizes[header] = HEADER_OVERHEAD + name(headers.get(header)).length() * 3;
            mark(isRead, headerFields[header]);
        }
        foundHeaders = new byte[headerFields.length][];
        mark(isRead, key);
        if (timestamp >= 0) {
            mark(isTime, timestamp);
        }
        maxLine = number(options, "max_line");
        maxRecord = number(options, "max_record");
        decoded = ((Boolean) options.get("decoded")).booleanValue();
        clock = new EventTime((String) options.get("timestamp_zone"));
        mostAhead = milliseconds(options, "most_ahead");
        mostBehind = milliseconds(options, "most_behind");
        retention = milliseconds(options, "retention");
        tooOld = (String) options.get("too_old");
    }

    private void plant(List path, int slot) {
        Name name = root;
        for (Object step : path) {
            name = child(name, step);
        }
        name.slot = slot;
        // evtx_dump writes an element that has attributes as an object, with its text inside.
        Name text = child(name, "#text");
        if (text.slot < 0) {
            text.slot = slot;
        }
    }

    private static Name child(Name name, Object step) {
        Name child = (Name) name.inner.get(step);
        if (child == null) {
            child = new Name();
            name.inner.put(step, child);
        }
        return child;
    }

    private void mark(boolean[] marks, int field) {
        for (int place = 0; place < slots[field].length; place++) {
            marks[slots[field][place]] = true;
        }
    }

    /** Whether no line of this block can have damaged bytes; `text` is the block, decoded as UTF-8. */
    public static boolean isSound(String text) {
        return text.indexOf(DAMAGED) < 0 && text.indexOf(0) < 0;
    }

    /**
     * The reason why the line is not an event; null if it is one.
     * `sound`: see isSound. `now`: milliseconds since 1970.
     */
    public String reasonAgainst(byte[] block, int begin, int end, boolean sound, long now) {
        if (end - begin > maxLine) {
            return "too-long";
        }
        if (!sound && isDamaged(block, begin, end, decoded) || block[begin] == (byte) 0xEF) {
            return RejectedLine.reason(json, block, begin, end);
        }
        boolean isRead = sound && block != odd && readNext(block, begin, end);
        String reason = isRead ? null : readAlone(block, begin, end);
        return reason == null ? reasonAgainstEvent(end - begin, now) : reason;
    }

    /**
     * The reason for bytes that are not a whole line, which LineCutter marks as "torn" or "too-long". Null if they
     * are an event, to which only the LF is missing.
     */
    public String reasonOfPart(String marked, byte[] block, int begin, int end, long now) {
        if (begin == end) {
            return marked;
        }
        boolean torn = marked.equals("torn");
        String found = torn ? reasonAgainst(block, begin, end, false, now)
                : isDamaged(block, begin, end, false) ? RejectedLine.reason(json, block, begin, end) : marked;
        return torn && found == null ? null : RejectedLine.ofPart(marked, found);
    }

    /** False if the line is not exactly one object: the line must then be parsed alone to find the reason. */
    private boolean readNext(byte[] block, int begin, int end) {
        forgetLine();
        try {
            if (parsed != block || next != begin) {
                open(block, begin);
            }
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                read(parser, root);
                int after = origin + (int) parser.currentLocation().getByteOffset(); // may be beyond the line
                while (after < end && (block[after] == ' ' || block[after] == '\t' || block[after] == '\r')) {
                    after++;
                }
                if (after == end) {
                    next = end + 1;
                    return true;
                }
            }
        } catch (IOException broken) {
            // parsing the line alone gives the reason
        }
        odd = block;
        return false;
    }

    /** A parser for many lines, because making one takes a seventh of the time that a line takes. */
    private void open(byte[] block, int begin) throws IOException {
        if (parser != null) {
            parser.close(); // returns its buffers, for the next parser
        }
        parser = json.createParser(block, begin, block.length - begin); // chars: accepts wrong hex digits
        parsed = block;
        origin = begin;
    }

    /** The reason why the line is not one JSON object. */
    private String readAlone(byte[] block, int begin, int end) {
        forgetLine();
        try {
            JsonParser parser = json.createParser(block, begin, end - begin);
            JsonToken first;
            try {
                first = parser.nextToken();
                if (first == JsonToken.START_OBJECT) {
                    read(parser, root);
                } else {
                    parser.skipChildren();
                }
                if (first == null || parser.nextToken() != null) { // nothing, or more after the value
                    return RejectedLine.reason(json, block, begin, end);
                }
            } finally {
                parser.close();
            }
            return first == JsonToken.START_OBJECT ? null : "not-an-object";
        } catch (StreamConstraintsException depth) {
            return "too-deep";
        } catch (IOException broken) {
            return RejectedLine.reason(json, block, begin, end);
        }
    }

    private void forgetLine() {
        Arrays.fill(values, null);
        number++;
    }

    /** Whether some bytes are not UTF-8, or are NUL. */
    static boolean isDamaged(byte[] block, int begin, int end, boolean decoded) {
        String text = new String(block, begin, end - begin, StandardCharsets.UTF_8);
        if (text.indexOf(0) >= 0) {
            return true;
        }
        int marks = 0;
        for (int place = text.indexOf(DAMAGED); place >= 0; place = text.indexOf(DAMAGED, place + 1)) {
            marks++;
        }
        return marks > 0 && (decoded || marks != literals(block, begin, end));
    }

    /** How often the three bytes of U+FFFD occur: in the line itself, this character is allowed. */
    private static int literals(byte[] block, int begin, int end) {
        int found = 0;
        for (int place = begin; place + 2 < end; place++) {
            if (block[place] == (byte) 0xEF && block[place + 1] == (byte) 0xBF && block[place + 2] == (byte) 0xBD) {
                found++;
            }
        }
        return found;
    }

    private void read(JsonParser parser, Name object) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            Name name = (Name) object.inner.get(parser.currentName());
            JsonToken token = parser.nextToken();
            if (name == null) {
                parser.skipChildren();
                continue;
            }
            if (name.seen == number) {
                forget(name); // if two members have one name, the last one counts
            }
            name.seen = number;
            if (token == JsonToken.START_OBJECT) {
                read(parser, name);
            } else if (token == JsonToken.START_ARRAY) {
                parser.skipChildren();
            } else if (token != JsonToken.VALUE_NULL && name.slot >= 0) {
                values[name.slot] = isRead[name.slot] ? utf8(parser) : PRESENT;
                times[name.slot] = isTime[name.slot] ? parser.getText() : null;
            }
        }
    }

    private void forget(Name name) {
        if (name.slot >= 0) {
            values[name.slot] = null;
        }
        for (Object inner : name.inner.values()) {
            forget((Name) inner);
        }
    }

    private String reasonAgainstEvent(int length, long now) {
        for (int index = 0; index < required.size(); index++) {
            if (value(field(required.get(index))) == null) {
                return "missing:" + name(required.get(index));
            }
        }
        foundKey = value(key);
        if (foundKey == HALF) {
            return "not-json";
        }
        long size = RECORD_OVERHEAD + (long) length + foundKey.length;
        for (int header = 0; header < headerFields.length; header++) {
            byte[] found = value(headerFields[header]);
            if (found == HALF) {
                return "not-json";
            }
            foundHeaders[header] = found;
            if (found != null) {
                size += headerSizes[header] + found.length;
            }
        }
        int slot = timestamp < 0 ? -1 : slot(timestamp);
        String reason = timestamp < 0 ? null : reasonAgainstTime(slot < 0 ? null : times[slot], now);
        if (late) {
            size += EVENT_TIME_HEADER;
        }
        return reason == null && size > maxRecord ? "too-long" : reason;
    }

    private String reasonAgainstTime(String text, long now) {
        late = false;
        time = EventTime.NONE;
        if (text == null) {
            return null; // the record gets the time of its arrival
        }
        time = clock.milliseconds(text, now);
        if (time == EventTime.NONE) {
            return isHalf(text) ? "not-json" : "bad-timestamp";
        }
        if (time > now + mostAhead) {
            return "ahead";
        }
        boolean refused = time < 0 || now - time > mostBehind;
        if (!refused && now - time <= retention || !refused && tooOld.equals("keep")) {
            return null;
        }
        late = true;
        return tooOld.equals("now") ? null : "too-old";
    }

    /** Whether the text has half a surrogate pair, which is not a character and cannot be encoded. */
    private static boolean isHalf(String text) {
        for (int place = 0; place < text.length(); place++) {
            char character = text.charAt(place);
            if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
                boolean pair = Character.isHighSurrogate(character) && place + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(place + 1));
                if (!pair) {
                    return true;
                }
                place++;
            }
        }
        return false;
    }

    public byte[] key() {
        return foundKey;
    }

    /** The event's own time; EventTime.NONE if the line has none. */
    public long time() {
        return time;
    }

    /** Whether the event is too old for the topic: then its record gets the time of its arrival. */
    public boolean isLate() {
        return late;
    }

    /** The values of the headers, in the order of --headers; null if the field is null or absent. */
    public byte[][] headers() {
        return foundHeaders;
    }

    private byte[] value(int field) {
        int slot = slot(field);
        return slot < 0 ? null : values[slot];
    }

    /** The first place of the field that the line has; -1 if it has none. */
    private int slot(int field) {
        int[] ofField = slots[field];
        for (int place = 0; place < ofField.length; place++) {
            if (values[ofField[place]] != null) {
                return ofField[place];
            }
        }
        return -1;
    }

    private static int field(Object pair) {
        return ((Integer) ((List) pair).get(0)).intValue();
    }

    private static String name(Object pair) {
        return (String) ((List) pair).get(1);
    }

    private static int number(Map options, String name) {
        return ((Number) options.get(name)).intValue();
    }

    private static long milliseconds(Map options, String name) {
        return ((Number) options.get(name)).longValue();
    }

    /** The text of a value as UTF-8; HALF if it has half a surrogate pair. Nearly all are ASCII: no String is made. */
    private static byte[] utf8(JsonParser parser) throws IOException {
        byte[] bytes = new byte[parser.getTextLength()];
        char[] text = parser.getTextCharacters();
        int from = parser.getTextOffset();
        int bits = 0;
        for (int place = 0; place < bytes.length; place++) {
            char character = text[from + place];
            bits |= character;
            bytes[place] = (byte) character;
        }
        return bits < 128 ? bytes : utf8(parser.getText());
    }

    private static byte[] utf8(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int place = 0; place < bytes.length; place++) {
            if (bytes[place] == '?') { // may replace half a surrogate pair
                return isHalf(text) ? HALF : bytes;
            }
        }
        return bytes;
    }
}
