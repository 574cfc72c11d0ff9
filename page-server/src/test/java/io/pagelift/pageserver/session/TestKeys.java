package io.pagelift.pageserver.session;

import io.pagelift.pageserver.keys.KeyDirectory;
import io.pagelift.tls.Grants;
import io.pagelift.tls.TlsContext;
import io.pagelift.tls.TlsEngine;
import io.pagelift.tls.TlsFiles;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** An authority with a server and a few clients, in a directory of the test. */
final class TestKeys {
  private final Path directory;

  TestKeys(Path directory) {
    this.directory = directory;
    keys().make(
        List.of("127.0.0.1"),
        Map.of("all", Grants.everything(), "web", Grants.parse("write=web-,restore=web-"), "looker", Grants.parse("read=")),
        List.of(),
        Duration.ofDays(1),
        false);
    keys().make(List.of(), Map.of("expired", Grants.everything()), List.of(), Duration.ofMinutes(-1), false);
  }

  private KeyDirectory keys() {
    return new KeyDirectory(directory, line -> {});
  }

  void revoke(String client) {
    keys().make(List.of(), Map.of(), List.of(client), Duration.ofDays(1), false);
  }

  void add(String client) {
    keys().make(List.of(), Map.of(client, Grants.everything()), List.of(), Duration.ofDays(1), false);
  }

  Path of(String name) {
    return directory.resolve(name);
  }

  TlsContext server(TlsEngine engine) {
    return context("server", engine);
  }

  TlsContext context(String name, TlsEngine engine) {
    Path own = of(name);
    Path revoked = name.equals("server") ? own.resolve("crl.pem") : null;
    return TlsContext.open(new TlsFiles(own.resolve("cert.pem"), own.resolve("key.pem"), of("ca").resolve("ca.pem"), revoked, engine));
  }

  /** The same certificate for the JDK's own TLS, an implementation that nobody here uses otherwise. */
  SSLContext jdk(String name) throws GeneralSecurityException, IOException {
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(null, null);
    own.setKeyEntry(
        "own",
        io.pagelift.tls.PemFile.privateKey(of(name).resolve("key.pem")),
        new char[0],
        new X509Certificate[] {certificate(of(name).resolve("cert.pem"))});
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX", "SunJSSE");
    keys.init(own, new char[0]);
    KeyStore believed = KeyStore.getInstance("PKCS12");
    believed.load(null, null);
    believed.setCertificateEntry("ca", certificate(of("ca").resolve("ca.pem")));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX", "SunJSSE");
    trust.init(believed);
    SSLContext context = SSLContext.getInstance("TLSv1.3", "SunJSSE");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static X509Certificate certificate(Path file) throws GeneralSecurityException, IOException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }
}
