package io.pagelift.wire;

import java.time.Duration;

/**
 * How a client talks to a page-server.
 *
 * @param software what this end calls itself, for the server's log, such as {@code pagelift dumper 0.1.0}
 * @param connectTimeout bound for the TCP connection
 * @param helloTimeout bound for the server's HELLO
 * @param replyTimeout bound for each awaited reply or acknowledgement
 * @param windowBytes most payload in flight without acknowledgement; the server may grant less
 */
public record ClientOptions(
    String software, Duration connectTimeout, Duration helloTimeout, Duration replyTimeout, int windowBytes) {
  /** Enough for the server's store to stay busy while acknowledgements travel; more only costs memory. */
  public static final int DEFAULT_WINDOW_BYTES = 16 << 20;

  /** Usual bounds: 5 s to connect, 5 s for HELLO, 60 s for a reply (a commit forces data to disk). */
  public static ClientOptions defaults(String software) {
    return new ClientOptions(
        software, Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(60), DEFAULT_WINDOW_BYTES);
  }

  /** The same with another bound for replies. */
  public ClientOptions withReplyTimeout(Duration timeout) {
    return new ClientOptions(software, connectTimeout, helloTimeout, timeout, windowBytes);
  }
}
