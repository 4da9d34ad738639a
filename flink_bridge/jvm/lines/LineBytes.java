package winevent;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.functions.MapFunction;

/** Lines as bytes: between threads, Flink copies a byte array as a whole, but a String character by character. */
public class LineBytes implements MapFunction {

    public Object map(Object line) {
        return ((String) line).getBytes(StandardCharsets.UTF_8);
    }
}
