package io.pagelift.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.VictimPrograms;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Kills dumpers in the middle of a freeze, with a C program that a busy machine does not keep waiting: {@code marksman.c}. */
final class Marksman {
  private static final int HIT = 0;
  private static final int TOO_LATE = 1;
  private static final int NO_SUCH_FREEZE = 3;

  private final Victim target;
  private final int freeze;

  /**
   * One that aims at a freeze of each dumper.
   *
   * @param freeze which one, from 1
   */
  Marksman(Victim target, int freeze) {
    this.target = target;
    this.freeze = freeze;
  }

  /** How long this dumper's freeze lasts, in microseconds. */
  long measureMicros(Running dumper) {
    Process process = start(dumper, -1);
    assertThat(exitCode(process)).as("the marksman sees freeze %s", freeze).isEqualTo(HIT);
    try {
      return Long.parseLong(new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills the dumper; true if the target was traced then. */
  boolean shoot(Running dumper, long delayMicros) {
    int code = exitCode(start(dumper, delayMicros));
    assertThat(code).as("the marksman could work").isIn(HIT, TOO_LATE, NO_SUCH_FREEZE);
    return code == HIT;
  }

  private Process start(Running dumper, long delayMicros) {
    List<String> command =
        List.of(
            VictimPrograms.executable(VictimPrograms.MARKSMAN).toString(),
            Long.toString(target.pid()),
            Long.toString(dumper.pid()),
            Integer.toString(freeze),
            Long.toString(delayMicros));
    try {
      return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int exitCode(Process process) {
    try {
      if (!process.waitFor(3, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException("The marksman does not end");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the marksman aims", e);
    }
  }
}
