package io.pagelift.pageserver.session;

import io.pagelift.tls.TlsContext;
import io.pagelift.wire.Transport;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a page-server listens and what it bounds.
 *
 * @param address host name or address to listen on
 * @param port 0 to have one chosen
 * @param software what it calls itself in HELLO
 * @param transport how sockets are driven
 * @param maxConnections further ones are refused with a sentence
 * @param helloTimeout bound for a client's HELLO, the TLS handshake included
 * @param writeTimeout bound for a client to take what was sent to it
 * @param idleTimeout a connection that asks for nothing for so long is ended
 * @param strangers bounds for connections that have not said who they are
 * @param tls how to encrypt and whom to let in; null for plain text and everybody
 * @param events told of what happens in sessions
 */
public record ServerOptions(
    String address,
    int port,
    String software,
    Transport transport,
    int maxConnections,
    Duration helloTimeout,
    Duration writeTimeout,
    Duration idleTimeout,
    StrangerLimits strangers,
    @Nullable TlsContext tls,
    SessionEvents events) {
  /** Each may hold one partly received batch, so 72 MiB at worst: with what waits for workers, less than a page-server's direct memory. */
  public static final int DEFAULT_MAX_CONNECTIONS = 72;

  /** Usual bounds on an address, in plain text. */
  public static ServerOptions defaults(String address, int port, String software) {
    return new ServerOptions(
        address,
        port,
        software,
        Transport.best(),
        DEFAULT_MAX_CONNECTIONS,
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        Duration.ofMinutes(15),
        StrangerLimits.USUAL,
        null,
        SessionEvents.NONE);
  }

  /** The same over another transport. */
  public ServerOptions withTransport(Transport other) {
    return new ServerOptions(address, port, software, other, maxConnections, helloTimeout, writeTimeout, idleTimeout, strangers, tls, events);
  }

  /** The same with another bound for HELLO. */
  public ServerOptions withHelloTimeout(Duration timeout) {
    return new ServerOptions(address, port, software, transport, maxConnections, timeout, writeTimeout, idleTimeout, strangers, tls, events);
  }

  /** The same with another number of connections. */
  public ServerOptions withMaxConnections(int connections) {
    return new ServerOptions(address, port, software, transport, connections, helloTimeout, writeTimeout, idleTimeout, strangers, tls, events);
  }

  /** The same with another bound for silence. */
  public ServerOptions withIdleTimeout(Duration timeout) {
    return new ServerOptions(address, port, software, transport, maxConnections, helloTimeout, writeTimeout, timeout, strangers, tls, events);
  }

  /** The same with other bounds for strangers. */
  public ServerOptions withStrangers(StrangerLimits limits) {
    return new ServerOptions(address, port, software, transport, maxConnections, helloTimeout, writeTimeout, idleTimeout, limits, tls, events);
  }

  /** The same, encrypted. */
  public ServerOptions withTls(TlsContext context) {
    return new ServerOptions(address, port, software, transport, maxConnections, helloTimeout, writeTimeout, idleTimeout, strangers, context, events);
  }

  /** The same, with somebody who is told of what happens in sessions. */
  public ServerOptions withEvents(SessionEvents told) {
    return new ServerOptions(address, port, software, transport, maxConnections, helloTimeout, writeTimeout, idleTimeout, strangers, tls, told);
  }
}
