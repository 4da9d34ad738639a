package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Makes a row of the members of a JSON object that a table names, and passes over all others without looking at them.
 *
 * What it passes over may be anything with paired quotes and brackets: the bridge has parsed every event before it is
 * in the topic. Text is copied as it is, in UTF-8, so that nothing is decoded and encoded.
 */
public class MemberScanner {

    /** A member that is read: a text, unless it has members itself or is an array of texts. */
    static class Member {
        byte[] name;
        int column;
        boolean isArray;
        int inner; // how many members it has; -1: it is not an object
        Member[][] byLength; // its members by the length of their names
    }

    private static final Member[] NONE = {};
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

    private final JsonFactory json = new JsonFactory();
    private final Member root;
    private byte[] bytes;
    private String characters; // one for each byte: its indexOf is faster than a loop
    private int at; // the next byte
    private int escape; // the first backslash from some earlier place on; beyond the record: there is none

    public MemberScanner(RowType type) {
        root = member("", 0, type);
    }

    private static Member member(String name, int column, LogicalType type) {
        Member member = new Member();
        member.name = name.getBytes(StandardCharsets.UTF_8);
        member.column = column;
        member.isArray = type instanceof ArrayType;
        member.inner = -1;
        if (type instanceof RowType) {
            List names = ((RowType) type).getFieldNames();
            member.inner = names.size();
            member.byLength = new Member[0][];
            for (int inner = 0; inner < member.inner; inner++) {
                add(member, member((String) names.get(inner), inner, ((RowType) type).getTypeAt(inner)));
            }
        }
        return member;
    }

    private static void add(Member outer, Member inner) {
        int length = inner.name.length;
        int known = outer.byLength.length;
        if (length >= known) {
            outer.byLength = (Member[][]) Arrays.copyOf(outer.byLength, length + 1);
            Arrays.fill(outer.byLength, known, length + 1, NONE);
        }
        Member[] others = outer.byLength[length];
        outer.byLength[length] = (Member[]) Arrays.copyOf(others, others.length + 1);
        outer.byLength[length][others.length] = inner;
    }

    /** The row of a record; null if the record is not a JSON object. */
    public GenericRowData row(byte[] record) {
        bytes = record;
        characters = new String(record, StandardCharsets.ISO_8859_1);
        at = 0;
        escape = -1;
        try {
            GenericRowData row = next() == '{' ? object(root) : null;
            return row != null && isOver() ? row : null;
        } catch (IOException notJson) {
            return null;
        } catch (IndexOutOfBoundsException cut) { // the record ends within the object
            return null;
        }
    }

    /** Whether only blanks are left. */
    private boolean isOver() {
        while (at < bytes.length && isBlank(bytes[at])) {
            at++;
        }
        return at == bytes.length;
    }

    private static boolean isBlank(int found) {
        return found == ' ' || found == '\n' || found == '\r' || found == '\t';
    }

    /** The next byte that is not a blank; it is consumed. */
    private int next() {
        int found = bytes[at++];
        while (isBlank(found)) {
            found = bytes[at++];
        }
        return found;
    }

    /** An object, from after its bracket. If two members have one name, the last one counts. */
    private GenericRowData object(Member outer) throws IOException {
        GenericRowData row = new GenericRowData(outer.inner);
        int found = next();
        while (found == '"') {
            Member member = find(outer);
            require(next() == ':');
            found = next();
            if (member == null) {
                pass(found);
            } else {
                row.setField(member.column, value(found, member));
            }
            found = next();
            if (found == ',') {
                found = next();
                require(found == '"');
            }
        }
        require(found == '}');
        return row;
    }

    /** The member whose name is next, from after its quote; null if no column has this name. */
    private Member find(Member outer) throws IOException {
        int begin = at;
        int end = passText();
        byte[] name = bytes;
        if (hasEscape(begin, end)) {
            name = decoded(begin, end).getBytes(StandardCharsets.UTF_8);
            begin = 0;
            end = name.length;
        }
        int length = end - begin;
        Member[] candidates = length < outer.byLength.length ? outer.byLength[length] : NONE;
        for (int candidate = 0; candidate < candidates.length; candidate++) {
            if (Arrays.equals(candidates[candidate].name, 0, length, name, begin, end)) {
                return candidates[candidate];
            }
        }
        return null;
    }

    /** The value that begins with `found`; null if its kind is not that of the column. */
    private Object value(int found, Member member) throws IOException {
        if (member.inner < 0 && !member.isArray) {
            return text(found);
        }
        if (member.inner >= 0 && found == '{') {
            return object(member);
        }
        if (member.isArray && found == '[') {
            return array();
        }
        pass(found);
        return null;
    }

    private GenericArrayData array() throws IOException {
        List texts = new ArrayList();
        int found = next();
        while (found != ']') {
            texts.add(text(found));
            found = next();
            require(found == ',' || found == ']');
            if (found == ',') {
                found = next();
                require(found != ']');
            }
        }
        return new GenericArrayData(texts.toArray());
    }

    /** A value as text: a number has the digits of the event, an object or an array is its JSON. */
    private BinaryStringData text(int found) throws IOException {
        int begin = at - 1;
        if (found != '"') {
            pass(found);
            require(found == '{' || found == '[' || isScalar(characters.substring(begin, at)));
            return found == 'n' ? null : BinaryStringData.fromBytes(bytes, begin, at - begin);
        }
        int end = passText();
        if (hasEscape(begin, end)) {
            return BinaryStringData.fromString(decoded(begin + 1, end));
        }
        return BinaryStringData.fromBytes(bytes, begin + 1, end - begin - 1);
    }

    private static boolean isScalar(String text) {
        return text.equals("true") || text.equals("false") || text.equals("null") || NUMBER.matcher(text).matches();
    }

    private boolean hasEscape(int begin, int end) {
        if (escape < begin) {
            escape = characters.indexOf('\\', begin);
            escape = escape < 0 ? bytes.length : escape;
        }
        return escape < end;
    }

    /** The text from `begin` to `end` without its escapes. */
    private String decoded(int begin, int end) throws IOException {
        JsonParser parser = json.createParser(bytes, begin - 1, end - begin + 2);
        try {
            return parser.nextTextValue();
        } finally {
            parser.close();
        }
    }

    /** Passes over a text, from after its first quote; the place of its last quote. */
    private int passText() throws IOException {
        int end = characters.indexOf('"', at);
        while (end > at && isEscaped(end)) {
            end = characters.indexOf('"', end + 1);
        }
        require(end >= 0);
        at = end + 1;
        return end;
    }

    private boolean isEscaped(int quote) {
        int first = quote;
        while (first > at && bytes[first - 1] == '\\') {
            first--;
        }
        return (quote - first) % 2 == 1;
    }

    /** Passes over the value that begins with `found`. */
    private void pass(int found) throws IOException {
        if (found == '"') {
            passText();
        } else if (found == '{' || found == '[') {
            for (int depth = 1; depth > 0;) {
                found = bytes[at++];
                if (found == '"') {
                    passText();
                } else if (found == '{' || found == '[') {
                    depth++;
                } else if (found == '}' || found == ']') {
                    depth--;
                }
            }
        } else {
            require(found >= 'a' && found <= 'z' || found >= '0' && found <= '9' || found == '-');
            while (!endsValue(bytes[at])) {
                at++;
            }
        }
    }

    private static boolean endsValue(int found) {
        return found == ',' || found == '}' || found == ']' || isBlank(found);
    }

    private static void require(boolean isJson) throws IOException {
        if (!isJson) {
            throw new IOException("not JSON");
        }
    }
}
