package io.pagelift.common;

import org.jspecify.annotations.Nullable;

/**
 * The root of every failure that Pagelift designs for.
 *
 * <p>The message is one sentence for the person at the terminal: what failed, where, and what to do. It never holds page
 * contents. A stack trace is shown only when asked for.
 */
public class PageliftException extends RuntimeException {
  private final ErrorCategory category;

  /** A failure without an underlying cause. */
  public PageliftException(ErrorCategory category, String message) {
    this(category, message, null);
  }

  /** A failure that another one caused. */
  public PageliftException(ErrorCategory category, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.category = category;
  }

  /** The kind of failure, which decides the exit code. */
  public ErrorCategory category() {
    return category;
  }
}
