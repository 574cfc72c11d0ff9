package io.pagelift.linux.inject;

/** What all injected calls share. */
final class Calls {
  static final int MAX_ARGUMENTS = 6;

  private Calls() {}

  static long[] checked(long[] arguments) {
    if (arguments.length > MAX_ARGUMENTS) {
      throw new IllegalArgumentException("a system call has at most 6 arguments, not " + arguments.length);
    }
    return arguments;
  }
}
