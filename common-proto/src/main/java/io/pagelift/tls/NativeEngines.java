package io.pagelift.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/** BoringSSL through Netty's native library; certificates are checked by the same {@link PeerTrust}. */
final class NativeEngines implements Engines {
  private final SslContext server;
  private final SslContext client;

  NativeEngines(OwnKey key, PeerTrust trust) {
    if (!OpenSsl.isAvailable()) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "the native TLS library cannot be loaded here (" + OpenSsl.unavailabilityCause() + "); use --tls-engine=bouncycastle",
          OpenSsl.unavailabilityCause());
    }
    try {
      server = strict(SslContextBuilder.forServer(key).clientAuth(ClientAuth.REQUIRE), trust);
      client = strict(SslContextBuilder.forClient().keyManager(key).endpointIdentificationAlgorithm(HOST_CHECK), trust);
    } catch (SSLException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "native TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  private static SslContext strict(SslContextBuilder builder, PeerTrust trust) throws SSLException {
    SslContext context =
        builder
            .sslProvider(SslProvider.OPENSSL)
            .protocols(PROTOCOL)
            .ciphers(SUITES)
            .trustManager(new NativeTrust(trust))
            .option(OpenSslContextOption.GROUPS, GROUPS.toArray(String[]::new))
            .build();
    // A resumed session would show no certificate, so that a revoked one would go on being good.
    ((OpenSslSessionContext) context.sessionContext()).setSessionCacheEnabled(false);
    return context;
  }

  @Override
  public SSLEngine server(ByteBufAllocator allocator) {
    return server.newEngine(allocator);
  }

  @Override
  public SSLEngine client(ByteBufAllocator allocator, String host, int port) {
    SSLEngine engine = client.newEngine(allocator, host, port);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm(HOST_CHECK);
    engine.setSSLParameters(parameters);
    return engine;
  }
}
