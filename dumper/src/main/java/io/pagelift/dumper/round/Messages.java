package io.pagelift.dumper.round;

/** Where a command tells the person at the terminal what happens, one line at a time. */
@FunctionalInterface
public interface Messages {
  /** Prints one line. */
  void line(String text);
}
