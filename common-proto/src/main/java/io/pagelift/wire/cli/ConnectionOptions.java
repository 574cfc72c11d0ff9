package io.pagelift.wire.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.TlsContext;
import io.pagelift.tls.TlsFiles;
import io.pagelift.tls.cli.TlsOptions;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.ClientTls;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How to connect to a page-server: the same for dumper and restorer. */
public final class ConnectionOptions {
  @Mixin TlsOptions tls = new TlsOptions();

  @Option(
      names = "--tls-host",
      paramLabel = "HOST",
      description = "Name or address in the page-server's certificate, if it is reached under another one, such as through a tunnel.")
  @Nullable String hostInCertificate;

  @Option(
      names = "--insecure-plain-text",
      description = "Allow a page-server that is not on loopback without TLS, although the memory of the processes travels unencrypted.")
  boolean insecurePlainText;

  /**
   * Options for a connection to this server.
   *
   * @throws PageliftException USAGE when files are missing or unusable, REFUSED when memory would travel in the clear unasked
   */
  public ClientOptions to(HostPort server, String software) {
    ClientOptions options = ClientOptions.defaults(software);
    Optional<TlsFiles> files = tls.files();
    if (files.isPresent()) {
      return options.withTls(new ClientTls(TlsContext.open(files.get()), hostInCertificate));
    }
    if (!insecurePlainText && !loopback(server.host())) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "the page-server " + server + " is not on loopback, and without TLS the memory of the processes would travel in the clear:"
              + " add --tls=DIR with files of 'page-server keygen', or --insecure-plain-text");
    }
    return options;
  }

  private static boolean loopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      // The attempt to connect says so better.
      return true;
    }
  }
}
