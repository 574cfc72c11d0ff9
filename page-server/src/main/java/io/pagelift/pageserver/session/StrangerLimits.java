package io.pagelift.pageserver.session;

import java.time.Duration;

/**
 * What connections may cost before their HELLO has been accepted, with TLS before their certificate has.
 *
 * @param connections at most so many at once; the oldest one makes room for a further one
 * @param connectionsPerAddress at most so many at once from one address; a further one is closed
 * @param handshakesPerSecond with TLS, at most so many from one address over time; each costs some 10 ms of a processor
 * @param handshakeBurst so many at once after a quiet time
 * @param handshakeTimeout bound for the TLS handshake, however slowly its bytes drip
 * @param handshakeBytes most bytes of a TLS handshake; certificates are a few KiB
 */
public record StrangerLimits(
    int connections, int connectionsPerAddress, int handshakesPerSecond, int handshakeBurst, Duration handshakeTimeout, int handshakeBytes) {
  /** Many times what honest clients need. */
  public static final StrangerLimits USUAL = new StrangerLimits(256, 128, 50, 200, Duration.ofSeconds(10), 64 << 10);

  /** The same with other numbers of connections. */
  public StrangerLimits withConnections(int all, int perAddress) {
    return new StrangerLimits(all, perAddress, handshakesPerSecond, handshakeBurst, handshakeTimeout, handshakeBytes);
  }

  /** The same with another rate of handshakes. */
  public StrangerLimits withRate(int perSecond, int burst) {
    return new StrangerLimits(connections, connectionsPerAddress, perSecond, burst, handshakeTimeout, handshakeBytes);
  }

  /** The same with another bound for the handshake. */
  public StrangerLimits withHandshakeTimeout(Duration timeout) {
    return new StrangerLimits(connections, connectionsPerAddress, handshakesPerSecond, handshakeBurst, timeout, handshakeBytes);
  }
}
