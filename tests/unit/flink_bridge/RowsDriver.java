import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;

/** The rows of records (LF between them), as JSON: a list for a row or an array. */
public class RowsDriver {

    public static String rows(String type, byte[] records) throws IOException {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        MemberScanner scanner = new MemberScanner((RowType) LogicalTypeParser.parse(type, loader));
        List rows = new ArrayList();
        int begin = 0;
        for (int end = 0; end <= records.length; end++) {
            if (end == records.length || records[end] == '\n') {
                rows.add(plain(scanner.row(Arrays.copyOfRange(records, begin, end))));
                begin = end + 1;
            }
        }
        return new ObjectMapper().writeValueAsString(rows);
    }

    private static Object plain(Object value) {
        if (value instanceof GenericRowData) {
            GenericRowData row = (GenericRowData) value;
            List fields = new ArrayList();
            for (int field = 0; field < row.getArity(); field++) {
                fields.add(plain(row.getField(field)));
            }
            return fields;
        }
        if (value instanceof GenericArrayData) {
            List texts = new ArrayList();
            Object[] found = ((GenericArrayData) value).toObjectArray();
            for (int text = 0; text < found.length; text++) {
                texts.add(plain(found[text]));
            }
            return texts;
        }
        return value == null ? null : value.toString();
    }
}
