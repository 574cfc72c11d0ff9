package io.pagelift.wire;

import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.TlsFailures;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/** What a failure of TLS means to the person at the client's terminal. */
final class TlsMessages {
  private TlsMessages() {}

  /** The failure in words; null when it is none of TLS. */
  static @Nullable PageliftException of(@Nullable Throwable failure, String peer) {
    if (failure == null || !TlsFailures.isTls(failure)) {
      return null;
    }
    return new PageliftException(ErrorCategory.REMOTE, sentence(failure, peer), failure);
  }

  /** The failure of a handshake in words. */
  static PageliftException handshake(@Nullable Throwable failure, String peer, String bound) {
    PageliftException known = of(failure, peer);
    if (known != null) {
      return known;
    }
    String why =
        failure == null || failure instanceof SslHandshakeTimeoutException
            ? "does not answer within " + bound
            : failure instanceof ClosedChannelException
                ? "closed the connection: it speaks no TLS, has too many connections, or its log says why"
                : "is lost (" + failure.getMessage() + ")";
    return new PageliftException(ErrorCategory.REMOTE, "the TLS handshake failed: " + peer + " " + why, failure);
  }

  private static String sentence(Throwable failure, String peer) {
    Throwable cause = failure;
    while (cause != null) {
      if (cause instanceof NotSslRecordException) {
        return peer + " does not speak TLS: start it with --tls, or leave --tls out here";
      }
      if (cause instanceof SslHandshakeTimeoutException) {
        return peer + " does not answer to the TLS handshake: is it a page-server?";
      }
      cause = cause.getCause();
    }
    if (TlsFailures.isLocalCheck(failure)) {
      return "the certificate of " + peer + " is not accepted: " + TlsFailures.reason(failure)
          + (TlsFailures.isWrongHost(failure) ? "; --tls-host says which name it has" : "");
    }
    return TlsFailures.blamesCertificate(failure)
        ? peer + " does not accept this end's certificate (" + TlsFailures.reason(failure) + "); its log says why"
        : "TLS with " + peer + " failed: " + TlsFailures.reason(failure);
  }
}
