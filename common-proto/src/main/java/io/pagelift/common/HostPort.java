package io.pagelift.common;

/**
 * A host and a TCP port as a person writes them: {@code host:port}, {@code 192.0.2.1:port}, {@code [2001:db8::1]:port}.
 *
 * @param host name or address, IPv6 without brackets
 * @param port 0 to 65535; 0 only where a port is to be chosen
 */
public record HostPort(String host, int port) {
  private static final int MAX_HOST_CHARS = 255;

  /** Checks the ranges; throws {@link PageliftException} of category USAGE. */
  public HostPort {
    if (host.isEmpty() || host.length() > MAX_HOST_CHARS || !host.chars().allMatch(HostPort::hostCharacter)) {
      throw usage(host, "the host is not a name or an address");
    }
    if (port < 0 || port > 65535) {
      throw usage(host + ":" + port, "the port must be 1 to 65535");
    }
  }

  /** Reads {@code host:port}; throws {@link PageliftException} of category USAGE with a sentence that says what is wrong. */
  public static HostPort parse(String text) {
    int colon = text.lastIndexOf(':');
    boolean bracketed = text.startsWith("[");
    if (colon < 0 || (bracketed && text.charAt(colon - 1) != ']')) {
      throw usage(text, "the port is missing");
    }
    String host = text.substring(0, colon);
    if (bracketed) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw usage(text, "write an IPv6 address in brackets, as in [::1]:7070");
    }
    String digits = text.substring(colon + 1);
    if (!digits.matches("[0-9]{1,5}") || Integer.parseInt(digits) == 0) {
      throw usage(text, "the port must be a number from 1 to 65535");
    }
    return new HostPort(host, Integer.parseInt(digits));
  }

  private static boolean hostCharacter(int c) {
    return c < 128 && (Character.isLetterOrDigit(c) || ".-_:%".indexOf(c) >= 0);
  }

  private static PageliftException usage(String text, String why) {
    return new PageliftException(ErrorCategory.USAGE, "'" + text + "' is not host:port: " + why);
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
  }
}
