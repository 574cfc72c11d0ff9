package io.pagelift.pageserver.metrics;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import java.io.IOException;
import java.net.InetAddress;

/** Serves {@code /metrics} over HTTP. It says how much is stored and moved, never what. */
public final class AdminEndpoint implements AutoCloseable {
  private final HTTPServer http;
  private final HostPort address;

  private AdminEndpoint(HTTPServer http, HostPort address) {
    this.http = http;
    this.address = address;
  }

  /**
   * Starts to listen.
   *
   * @param port 0 to have one chosen
   * @throws PageliftException REFUSED when the address cannot be listened on
   */
  public static AdminEndpoint start(ServerMetrics metrics, String address, int port) {
    try {
      InetAddress where = InetAddress.getByName(address);
      HTTPServer http = HTTPServer.builder().inetAddress(where).port(port).registry(metrics.registry()).buildAndStart();
      return new AdminEndpoint(http, new HostPort(where.getHostAddress(), http.getPort()));
    } catch (IOException e) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "the admin port " + address + ":" + port + " cannot be listened on: " + e.getMessage(), e);
    }
  }

  /** Where it listens. */
  public HostPort address() {
    return address;
  }

  @Override
  public void close() {
    http.close();
  }
}
