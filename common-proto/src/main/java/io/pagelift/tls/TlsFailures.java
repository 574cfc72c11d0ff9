package io.pagelift.tls;

import io.netty.handler.ssl.NotSslRecordException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateRevokedException;
import java.util.Locale;
import javax.net.ssl.SSLException;
import org.bouncycastle.tls.TlsException;
import org.jspecify.annotations.Nullable;

/** Says in words why a handshake failed. */
public final class TlsFailures {
  private static final int MAX_CAUSES = 10;
  private static final int MAX_CHARS = 100;

  private TlsFailures() {}

  /** Whether TLS is what failed, at this end or at the other. */
  public static boolean isTls(Throwable failure) {
    return find(failure, SSLException.class) != null || find(failure, TlsException.class) != null || isLocalCheck(failure);
  }

  /** Whether it is this end that does not accept the other's certificate. */
  public static boolean isLocalCheck(Throwable failure) {
    return find(failure, CertificateException.class) != null;
  }

  /** Why, in the middle of a sentence. */
  public static String reason(Throwable failure) {
    CertificateRevokedException revoked = find(failure, CertificateRevokedException.class);
    if (revoked != null) {
      return "it was revoked on " + revoked.getRevocationDate().toInstant();
    }
    if (find(failure, CertificateExpiredException.class) != null) {
      return "it has expired (or this host's clock is wrong)";
    }
    if (find(failure, CertificateNotYetValidException.class) != null) {
      return "it is not valid yet (or this host's clock is wrong)";
    }
    CertPathValidatorException path = find(failure, CertPathValidatorException.class);
    if (path != null && path.getReason() == CertPathValidatorException.BasicReason.UNDETERMINED_REVOCATION_STATUS) {
      return "the revocation list says nothing about it: it is of another authority, or too old; make a new one";
    }
    if (find(failure, NotSslRecordException.class) != null) {
      // Its message has the received bytes.
      return "it does not speak TLS";
    }
    CertificateException certificate = find(failure, CertificateException.class);
    if (certificate != null) {
      String text = String.valueOf(certificate.getMessage());
      return unsigned(text) ? "no authority that is known here signed it" : text.replaceAll("\\.$", "");
    }
    return last(failure);
  }

  private static boolean unsigned(String text) {
    return text.contains("unable to find valid certification path") || text.contains("signature check failed");
  }

  /** Whether this end looked for another name in the other's certificate. */
  public static boolean isWrongHost(Throwable failure) {
    CertificateException certificate = find(failure, CertificateException.class);
    String text = certificate == null ? "" : String.valueOf(certificate.getMessage());
    return text.contains("subject alternative") || text.contains("No name matching");
  }

  /** Whether the other end said that this end's certificate is why. */
  public static boolean blamesCertificate(Throwable failure) {
    String text = last(failure).toLowerCase(Locale.ROOT);
    return text.contains("certificate") || text.contains("access_denied") || text.contains("unknown_ca");
  }

  private static String last(Throwable failure) {
    Throwable cause = failure;
    for (int i = 0; i < MAX_CAUSES && cause.getCause() != null; i++) {
      cause = cause.getCause();
    }
    String text = cause instanceof ClosedChannelException ? "the connection ended" : String.valueOf(cause.getMessage());
    // Some list every cipher there is.
    return text.substring(0, Math.min(text.length(), MAX_CHARS));
  }

  private static <T extends Throwable> @Nullable T find(Throwable failure, Class<T> kind) {
    Throwable cause = failure;
    for (int i = 0; i < MAX_CAUSES && cause != null; i++) {
      if (kind.isInstance(cause)) {
        return kind.cast(cause);
      }
      cause = cause.getCause();
    }
    return null;
  }
}
