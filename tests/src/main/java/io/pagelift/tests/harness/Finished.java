package io.pagelift.tests.harness;

import java.util.List;

/**
 * A command that has ended.
 *
 * @param exitCode as the shell would show it; 128 + signal when a signal ended it
 * @param peakResidentKibibytes largest resident set seen while it ran (looked at every few milliseconds)
 * @param processorMillis processor time seen then, user and kernel
 */
public record Finished(
    List<String> command, int exitCode, String out, String err, long elapsedNanos, long peakResidentKibibytes, long processorMillis) {

  /** Both streams, for a message about a failure. */
  public String describe() {
    return String.join(" ", command) + "\nended with " + exitCode + "\n--- standard output\n" + out + "\n--- standard error\n" + err;
  }

  /**
   * The command itself when it succeeded.
   *
   * @throws AssertionError with all that it said otherwise
   */
  public Finished mustSucceed() {
    if (exitCode != 0) {
      throw new AssertionError(describe());
    }
    return this;
  }
}
