package winevent;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.Iterator;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** TLS to a producer. The PEM files are read again for each connection, because certificates are renewed in place. */
public class TlsFromPem {

    private static final char[] NO_PASSWORD = new char[0];
    private static final String[] ALGORITHMS = {"RSA", "EC", "EdDSA"};

    /** Adds TLS to the socket and verifies the server's name. Without files: Java's authorities, and no login. */
    public static SSLSocket over(Socket plain, String host, int port, String caFile, String certFile, String keyFile)
            throws IOException {
        try {
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(caFile == null ? null : authorities(caFile));
            KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            own.init(certFile == null ? null : login(certFile, keyFile), NO_PASSWORD);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own.getKeyManagers(), trust.getTrustManagers(), null);
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            return socket;
        } catch (GeneralSecurityException broken) {
            throw new IOException("TLS: " + broken.getMessage(), broken);
        }
    }

    private static KeyStore authorities(String file) throws IOException, GeneralSecurityException {
        KeyStore store = empty();
        int number = 0;
        for (Iterator each = certificates(file).iterator(); each.hasNext(); number++) {
            store.setCertificateEntry("authority-" + number, (Certificate) each.next());
        }
        return store;
    }

    private static KeyStore login(String certFile, String keyFile) throws IOException, GeneralSecurityException {
        Object[] chain = certificates(certFile).toArray();
        Certificate[] typed = new Certificate[chain.length];
        System.arraycopy(chain, 0, typed, 0, chain.length);
        KeyStore store = empty();
        store.setKeyEntry("own", privateKey(keyFile), NO_PASSWORD, typed);
        return store;
    }

    private static KeyStore empty() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load((InputStream) null, NO_PASSWORD);
        return store;
    }

    private static Collection certificates(String file) throws IOException, GeneralSecurityException {
        byte[] bytes = Files.readAllBytes(Paths.get(file, new String[0]));
        Collection found = CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes));
        if (found.isEmpty()) {
            throw new IOException(file + " contains no certificate (PEM)");
        }
        return found;
    }

    private static PrivateKey privateKey(String file) throws IOException, GeneralSecurityException {
        String text = new String(Files.readAllBytes(Paths.get(file, new String[0])), StandardCharsets.ISO_8859_1);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END PRIVATE KEY-----");
        if (from < 0 || to < from) {
            throw new IOException(file + " is not a PKCS#8 key without password; this command converts it: "
                    + "openssl pkcs8 -topk8 -nodes -in " + file + " -out NEW");
        }
        byte[] key;
        try {
            key = Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
        } catch (IllegalArgumentException damaged) {
            throw new IOException(file + " is damaged: " + damaged.getMessage());
        }
        for (int number = 0; number < ALGORITHMS.length; number++) {
            try {
                return KeyFactory.getInstance(ALGORITHMS[number]).generatePrivate(new PKCS8EncodedKeySpec(key));
            } catch (InvalidKeySpecException another) {
                continue;
            }
        }
        throw new IOException(file + " is a key of a type that Java does not know");
    }
}
