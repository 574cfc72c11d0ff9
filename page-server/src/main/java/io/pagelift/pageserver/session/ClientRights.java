package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.Grants;
import io.pagelift.tls.Grants.Right;
import io.pagelift.tls.PeerIdentity;
import io.pagelift.tls.TlsContext;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the client of one connection may do. In plain text nobody knows who it is, and it may do everything; with TLS what its
 * certificate grants, as long as that is valid and not revoked.
 *
 * <p>The event loop says who it is before it hands over the first frame.
 */
final class ClientRights {
  private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final @Nullable TlsContext tls;
  private volatile @Nullable PeerIdentity client;

  /** Worker: when the certificate was last checked; 0 for never. */
  private long checkedNanos;

  /** Rights of a client that is still unknown; without TLS it stays so. */
  ClientRights(@Nullable TlsContext tls) {
    this.tls = tls;
  }

  void identified(PeerIdentity identity) {
    client = identity;
  }

  /** Whether a migration may be named to this client. */
  boolean maySee(String migration) {
    return tls == null || grants().allow(Right.READ, migration) || grants().allow(Right.WRITE, migration);
  }

  /** Throws REFUSED when the client may not do this with a migration, or not any more. */
  void check(Right right, String migration) {
    checkAny(migration, right);
  }

  /** Throws REFUSED when the client has none of these rights on a migration, or not any more. */
  void checkAny(String migration, Right... rights) {
    TlsContext context = tls;
    PeerIdentity known = client;
    if (context == null) {
      return;
    }
    if (known == null) {
      throw new PageliftException(ErrorCategory.REFUSED, "the client has not shown a certificate");
    }
    checkStillTrusted(context, known);
    if (Arrays.stream(rights).noneMatch(right -> known.grants().allow(right, migration))) {
      String wanted = String.join(" or ", Arrays.stream(rights).map(Right::text).toList());
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "the certificate of '" + known.name() + "' does not allow to " + wanted + " '" + migration + "', but: " + known.grants()
              + "; 'page-server keygen --client' makes one that does");
    }
  }

  /** A check of a certificate takes a millisecond or two, a request for pages less. */
  private void checkStillTrusted(TlsContext context, PeerIdentity known) {
    long now = System.nanoTime();
    if (checkedNanos == 0 || now - checkedNanos > RECHECK_NANOS) {
      context.checkStillTrusted(known);
      checkedNanos = now | 1;
    }
  }

  private Grants grants() {
    PeerIdentity known = client;
    return known == null ? new Grants(java.util.List.of()) : known.grants();
  }
}
