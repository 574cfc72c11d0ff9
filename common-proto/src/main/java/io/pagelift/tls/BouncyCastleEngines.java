package io.pagelift.tls;

import io.netty.buffer.ByteBufAllocator;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.Security;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.BCSSLEngine;
import org.bouncycastle.jsse.BCSSLParameters;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;

/**
 * Bouncy Castle's protocol over the JDK's ciphers.
 *
 * <p>The protocol asks the JVM's list of providers for each algorithm. Bouncy Castle's own provider stands last there, so that AES-GCM
 * comes from SunJCE, which uses the processor's instructions (Bouncy Castle's takes twenty times as long), and only what the JDK 17
 * does not have, ML-KEM, comes from Bouncy Castle.
 */
final class BouncyCastleEngines implements Engines {
  /** Kept, or the quiet level would be collected with the logger. It would tell of every handshake on standard error. */
  private static final Logger PROTOCOL_LOG = Logger.getLogger("org.bouncycastle.jsse");

  private final SSLContext context;

  BouncyCastleEngines(OwnKey key, PeerTrust trust) {
    PROTOCOL_LOG.setLevel(Level.OFF);
    // Does nothing when it is there already.
    Security.addProvider(new BouncyCastleProvider());
    try {
      context = SSLContext.getInstance(PROTOCOL, new BouncyCastleJsseProvider());
      context.init(new KeyManager[] {key}, new TrustManager[] {trust}, new SecureRandom());
    } catch (GeneralSecurityException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  @Override
  public SSLEngine server(ByteBufAllocator allocator) {
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(false);
    BCSSLParameters parameters = strict(engine);
    parameters.setNeedClientAuth(true);
    ((BCSSLEngine) engine).setParameters(parameters);
    return engine;
  }

  @Override
  public SSLEngine client(ByteBufAllocator allocator, String host, int port) {
    SSLEngine engine = context.createSSLEngine(host, port);
    engine.setUseClientMode(true);
    BCSSLParameters parameters = strict(engine);
    parameters.setEndpointIdentificationAlgorithm(HOST_CHECK);
    ((BCSSLEngine) engine).setParameters(parameters);
    return engine;
  }

  private static BCSSLParameters strict(SSLEngine engine) {
    BCSSLParameters parameters = ((BCSSLEngine) engine).getParameters();
    parameters.setProtocols(new String[] {PROTOCOL});
    parameters.setCipherSuites(SUITES.toArray(String[]::new));
    parameters.setNamedGroups(GROUPS.toArray(String[]::new));
    return parameters;
  }
}
