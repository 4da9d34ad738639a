package winevent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.provider.ConfigProvider;

/**
 * Puts a password between the quotes of a login entry, `${password:file:/run/secrets/bridge}` or
 * `${password:env:KAFKA_PASSWORD}`, where the job runs. Kafka's own providers insert the password unchanged. But a
 * backslash or a quote has a special meaning in a login entry, so this class escapes both.
 *
 * The file contains only the password. Line breaks at its end do not belong to it, as in every tool here.
 */
public class PasswordProvider implements ConfigProvider {

    public void configure(Map settings) { }

    public ConfigData get(String path) {
        throw new ConfigException("expected ${password:file:FILE} or ${password:env:VARIABLE}");
    }

    public ConfigData get(String path, Set keys) {
        HashMap found = new HashMap();
        for (Iterator each = keys.iterator(); each.hasNext();) {
            String name = (String) each.next();
            found.put(name, quoted(path.equals("env") ? variable(name) : file(name)));
        }
        return new ConfigData(found);
    }

    public void close() throws IOException { }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new ConfigException("the variable " + name + " is not set here, where the job runs");
        }
        return value;
    }

    private static String file(String name) {
        String text;
        try {
            text = new String(Files.readAllBytes(Paths.get(name, new String[0])), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new ConfigException("cannot read the password file, here, where the job runs: " + unreadable);
        }
        int end = text.length();
        while (end > 0 && (text.charAt(end - 1) == '\n' || text.charAt(end - 1) == '\r')) {
            end--;
        }
        return text.substring(0, end);
    }

    /** java.io.StreamTokenizer reads the entry, and knows these escapes inside double quotes. */
    static String quoted(String password) {
        return password.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "\\r");
    }
}
