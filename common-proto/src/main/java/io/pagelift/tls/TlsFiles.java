package io.pagelift.tls;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What one end needs for TLS; all files are PEM.
 *
 * @param certificate own certificate, followed by those between it and the authority
 * @param key its private key, readable by its owner alone
 * @param authority certificates of the authorities whose signature is believed
 * @param revoked revocation lists of these authorities; null to check none
 * @param engine what encrypts
 */
public record TlsFiles(Path certificate, Path key, Path authority, @Nullable Path revoked, TlsEngine engine) {
  /** Name of the own certificate in a directory that keygen made. */
  public static final String CERTIFICATE_NAME = "cert.pem";

  /** Name of the own private key there. */
  public static final String KEY_NAME = "key.pem";

  /** Name of the authority's certificate there. */
  public static final String AUTHORITY_NAME = "ca.pem";

  /** Name of the revocation list there. */
  public static final String REVOKED_NAME = "crl.pem";
}
