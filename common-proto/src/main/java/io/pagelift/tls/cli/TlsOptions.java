package io.pagelift.tls.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.TlsEngine;
import io.pagelift.tls.TlsFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --tls} and the options for single files, the same for all commands. The longer names are CRIU's. */
public final class TlsOptions {
  private static final String USUAL_DIRECTORY = "/etc/pagelift/tls";

  @Option(
      names = "--tls",
      arity = "0..1",
      paramLabel = "DIR",
      fallbackValue = USUAL_DIRECTORY,
      description = "Mutual TLS 1.3 with cert.pem, key.pem, ca.pem and, if there, crl.pem of this directory (without DIR: " + USUAL_DIRECTORY + ").")
  @Nullable Path directory;

  @Option(names = "--tls-cert", paramLabel = "FILE", description = "Own certificate, PEM.")
  @Nullable Path certificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Own private key, PEM, not readable for others.")
  @Nullable Path key;

  @Option(
      names = {"--tls-ca", "--tls-cacert"},
      paramLabel = "FILE",
      description = "Certificates of the authorities that are believed, PEM.")
  @Nullable Path authority;

  @Option(
      names = {"--crl", "--tls-cacrl"},
      paramLabel = "FILE",
      description = "Revocation lists of these authorities, PEM; read again when the file changes.")
  @Nullable Path revoked;

  @Option(
      names = "--tls-engine",
      paramLabel = "ENGINE",
      defaultValue = "bouncycastle",
      description = "What encrypts: bouncycastle or openssl, which is native and takes less time (default: ${DEFAULT-VALUE}).")
  TlsEngine engine = TlsEngine.BOUNCYCASTLE;

  /** The files, when TLS was asked for; throws USAGE when they are not complete. */
  public Optional<TlsFiles> files() {
    Path from = directory;
    if (from == null && certificate == null && key == null && authority == null && revoked == null) {
      return Optional.empty();
    }
    Path list = revoked;
    if (list == null && from != null && Files.exists(from.resolve(TlsFiles.REVOKED_NAME))) {
      list = from.resolve(TlsFiles.REVOKED_NAME);
    }
    return Optional.of(
        new TlsFiles(
            file(certificate, TlsFiles.CERTIFICATE_NAME, "--tls-cert"),
            file(key, TlsFiles.KEY_NAME, "--tls-key"),
            file(authority, TlsFiles.AUTHORITY_NAME, "--tls-ca"),
            list,
            engine));
  }

  private Path file(@Nullable Path given, String usualName, String option) {
    Path from = directory;
    if (given != null) {
      return given;
    }
    if (from == null) {
      throw new PageliftException(ErrorCategory.USAGE, "TLS needs " + option + "=FILE too, or all files from --tls=DIR");
    }
    return from.resolve(usualName);
  }
}
