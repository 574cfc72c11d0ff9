package io.pagelift.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;

/** TLS as one end uses it: its key, whom it believes, its engine. Made once, for all connections. Thread-safe. */
public final class TlsContext {
  private final PeerTrust trust;
  private final Engines engines;

  private TlsContext(PeerTrust trust, Engines engines) {
    this.trust = trust;
    this.engines = engines;
  }

  /**
   * Reads the files.
   *
   * @throws PageliftException USAGE that names the file that cannot be used, REFUSED when the engine does not run here
   */
  public static TlsContext open(TlsFiles files) {
    List<X509Certificate> chain = PemFile.certificates(files.certificate());
    PrivateKey key = PemFile.privateKey(files.key());
    if (!belong(key, chain.get(0).getPublicKey())) {
      throw new PageliftException(
          ErrorCategory.USAGE, "the private key " + files.key() + " is not the one of the certificate " + files.certificate());
    }
    PeerTrust trust = new PeerTrust(PemFile.certificates(files.authority()), files.revoked());
    OwnKey own = new OwnKey(key, chain);
    return new TlsContext(
        trust,
        switch (files.engine()) {
          case BOUNCYCASTLE -> new BouncyCastleEngines(own, trust);
          case OPENSSL -> new NativeEngines(own, trust);
        });
  }

  /** A cheap comparison that finds a mixed-up file; the handshake proves the rest. */
  private static boolean belong(PrivateKey key, PublicKey certified) {
    if (key instanceof java.security.interfaces.ECPrivateKey secret && certified instanceof ECPublicKey open) {
      return SignatureProbe.matches("SHA256withECDSA", secret, open);
    }
    if (key instanceof java.security.interfaces.RSAPrivateKey secret && certified instanceof RSAPublicKey open) {
      return secret.getModulus().equals(open.getModulus());
    }
    return key.getAlgorithm().equals(certified.getAlgorithm());
  }

  /**
   * The server's end of a connection.
   *
   * @param bound for the whole handshake
   * @param handshakes runs the signatures and the checks of certificates, which would hold other connections up
   */
  public SslHandler server(ByteBufAllocator allocator, Duration bound, Executor handshakes) {
    return handler(engines.server(allocator), bound, handshakes);
  }

  /**
   * The client's end of a connection.
   *
   * @param host the name or address that the server's certificate must have
   */
  public SslHandler client(ByteBufAllocator allocator, String host, int port, Duration bound, Executor handshakes) {
    return handler(engines.client(allocator, host, port), bound, handshakes);
  }

  private static SslHandler handler(javax.net.ssl.SSLEngine engine, Duration bound, Executor handshakes) {
    SslHandler handler = new SslHandler(engine, handshakes);
    handler.setHandshakeTimeoutMillis(bound.toMillis());
    // The protocol says itself what is complete; nobody waits for the other end's farewell.
    handler.setCloseNotifyReadTimeoutMillis(0);
    return handler;
  }

  /** Throws REFUSED when a client that is connected may not go on, because its certificate has expired or was revoked meanwhile. */
  public void checkStillTrusted(PeerIdentity client) {
    try {
      trust.checkStillTrusted(client.chain());
    } catch (CertificateException e) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "the certificate of '" + client.name() + "' is no longer accepted: " + TlsFailures.reason(e), e);
    }
  }
}
