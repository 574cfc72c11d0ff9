package io.pagelift.tls;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose certificate is believed: one that an authority of ours signed for this end of a connection, that is valid today and not
 * revoked, and at the client's side one for the host that it wanted to reach.
 *
 * <p>The checks are the JDK's own (PKIX). What is added here is the revocation list as a file: before each check its time and size
 * are looked at, and a list that has changed is read again. One that cannot be read any more is said in the log, and the last good
 * one stays in force: to believe everybody or nobody for a half-written file would be worse.
 */
final class PeerTrust extends X509ExtendedTrustManager {
  private static final Logger LOG = LoggerFactory.getLogger(PeerTrust.class);

  private record Stamp(FileTime modified, long lengthBytes, @Nullable Object fileKey) {}

  private final List<X509Certificate> authorities;
  private final @Nullable Path revoked;
  private @Nullable Stamp stamp;
  private X509ExtendedTrustManager current;

  PeerTrust(List<X509Certificate> authorities, @Nullable Path revoked) {
    this.authorities = List.copyOf(authorities);
    this.revoked = revoked;
    this.stamp = stampOf(revoked);
    this.current = load();
  }

  private static @Nullable Stamp stampOf(@Nullable Path file) {
    if (file == null) {
      return null;
    }
    try {
      BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(facts.lastModifiedTime(), facts.size(), facts.fileKey());
    } catch (IOException e) {
      return null;
    }
  }

  private X509ExtendedTrustManager load() {
    try {
      KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
      anchors.load(null, null);
      for (int i = 0; i < authorities.size(); i++) {
        anchors.setCertificateEntry("authority-" + i, authorities.get(i));
      }
      PKIXBuilderParameters rules = new PKIXBuilderParameters(anchors, new X509CertSelector());
      Path lists = revoked;
      rules.setRevocationEnabled(false);
      if (lists != null) {
        PKIXRevocationChecker checker = (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS, PKIXRevocationChecker.Option.NO_FALLBACK));
        rules.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(PemFile.revocationLists(lists))));
        rules.addCertPathChecker(checker);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX", "SunJSSE");
      factory.init(new CertPathTrustManagerParameters(rules));
      return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException | IOException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "the rules for believing certificates cannot be set up: " + e.getMessage(), e);
    }
  }

  private synchronized X509ExtendedTrustManager current() {
    Stamp now = stampOf(revoked);
    if (revoked != null && (now == null || !now.equals(stamp))) {
      try {
        current = load();
        LOG.info("the revocation list {} was read again", revoked);
      } catch (PageliftException e) {
        LOG.error("{}; the list that was read before stays in force", e.getMessage());
      }
      stamp = now;
    }
    return current;
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    current().checkClientTrusted(chain, authType, engine);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) throws CertificateException {
    current().checkServerTrusted(chain, authType, engine);
  }

  /** Whether a client's certificate, believed when it connected, still is. */
  void checkStillTrusted(List<X509Certificate> chain) throws CertificateException {
    current().checkClientTrusted(chain.toArray(X509Certificate[]::new), "UNKNOWN");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    throw new CertificateException("only engines are used here");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) throws CertificateException {
    throw new CertificateException("only engines are used here");
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    throw new CertificateException("only engines are used here");
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
    throw new CertificateException("only engines are used here, which know the host's name");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authorities.toArray(X509Certificate[]::new);
  }
}
