package io.pagelift.common;

/**
 * What kind of failure ended a command, and the exit code that tells a script so.
 *
 * <p>The codes are part of the interface: they are documented in the README and do not change meaning.
 */
public enum ErrorCategory {
  /** A bug of Pagelift or something nobody foresaw. */
  INTERNAL(1),
  /** The command line was wrong; nothing was touched. */
  USAGE(2),
  /** Something cannot be carried over, or this kernel or user cannot do it; the source runs on. */
  REFUSED(3),
  /** The other end, or the network between, failed or said no. */
  REMOTE(4),
  /** Stored or received bytes are not what was written. */
  CORRUPT(5),
  /** A disk, a quota, memory or a time limit ran out. */
  EXHAUSTED(6);

  private final int exitCode;

  ErrorCategory(int exitCode) {
    this.exitCode = exitCode;
  }

  /** The process exit code for this category, 1 to 6. */
  public int exitCode() {
    return exitCode;
  }
}
