package io.pagelift.wire;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a client talks to a page-server.
 *
 * @param software what this end calls itself, for the server's log, such as {@code pagelift dumper 0.1.0}
 * @param connectTimeout bound for the TCP connection
 * @param helloTimeout bound for the server's HELLO
 * @param replyTimeout bound for each awaited reply and for acknowledgements to come when the window is full
 * @param commitTimeout bound for the commit of a round, which forces all its pages to the disk
 * @param windowBytes most payload in flight without acknowledgement; the server may grant less
 * @param transport how sockets are driven
 * @param tls how to encrypt; null for plain text
 */
public record ClientOptions(
    String software,
    Duration connectTimeout,
    Duration helloTimeout,
    Duration replyTimeout,
    Duration commitTimeout,
    int windowBytes,
    Transport transport,
    @Nullable ClientTls tls) {
  /** Enough for the server's store to stay busy while acknowledgements travel; more only costs memory. */
  public static final int DEFAULT_WINDOW_BYTES = 16 << 20;

  /** Checks that a batch fits the window; throws {@link IllegalArgumentException}. */
  public ClientOptions {
    if (windowBytes < 2 * PageBatchBuffer.CAPACITY_BYTES) {
      throw new IllegalArgumentException("a window of " + windowBytes + " bytes is less than two batches");
    }
  }

  /**
   * Usual bounds: 10 s to connect, 30 s for HELLO (a machine that stalls is not a peer that is gone), 60 s for a reply, 5 min
   * for a commit.
   */
  public static ClientOptions defaults(String software) {
    return new ClientOptions(
        software,
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60),
        Duration.ofMinutes(5),
        DEFAULT_WINDOW_BYTES,
        Transport.best(),
        null);
  }

  /** The same with another bound for replies. */
  public ClientOptions withReplyTimeout(Duration timeout) {
    return new ClientOptions(software, connectTimeout, helloTimeout, timeout, commitTimeout, windowBytes, transport, tls);
  }

  /** The same with another bound for HELLO. */
  public ClientOptions withHelloTimeout(Duration timeout) {
    return new ClientOptions(software, connectTimeout, timeout, replyTimeout, commitTimeout, windowBytes, transport, tls);
  }

  /** The same over another transport. */
  public ClientOptions withTransport(Transport other) {
    return new ClientOptions(software, connectTimeout, helloTimeout, replyTimeout, commitTimeout, windowBytes, other, tls);
  }

  /** The same, encrypted. */
  public ClientOptions withTls(ClientTls how) {
    return new ClientOptions(software, connectTimeout, helloTimeout, replyTimeout, commitTimeout, windowBytes, transport, how);
  }
}
