package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process that commits rounds, with SIGKILL at any moment, and reads back what it was told is safe. */
class StoreCrashTest {
  private static final int KILLS = 6;

  @TempDir Path temporary;

  @Test
  void everyAcknowledgedRoundIsThereAfterAKillAtAnyMoment() throws Exception {
    SplittableRandom random = new SplittableRandom(11);
    for (int kill = 0; kill < KILLS; kill++) {
      int acknowledged = runAndKill(1 + random.nextInt(30), random.nextInt(4_000_000));
      try (DirectoryPageStore store = Stores.open(temporary)) {
        int last;
        try (MigrationReader migration = store.readMigration("m")) {
          last = migration.lastRound();
        }
        assertThat(last).isGreaterThanOrEqualTo(acknowledged).isLessThanOrEqualTo(acknowledged + 1);
        for (int round = 1; round <= last; round++) {
          Stores.assertHeld(store, "m", CommittingProgram.firstPage(round), CommittingProgram.contents(round));
        }
      }
      assertThat(StoreVerifier.verify(temporary).damages()).isEmpty();
    }
  }

  @Test
  void aSecondServerIsToldWhoHoldsTheStore() throws Exception {
    Process holder = start();
    try {
      assertThat(next(output(holder), "open")).isEqualTo("open");

      assertThatThrownBy(() -> Stores.open(temporary))
          .isInstanceOfSatisfying(
              PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.REFUSED))
          .hasMessageContaining("process " + holder.pid())
          .hasMessageContaining(temporary.toString())
          .hasMessageContaining("--store");
    } finally {
      end(holder);
    }
  }

  /** Lets the program commit some rounds and then go on for a moment. Returns the last round that it said is safe. */
  private int runAndKill(int rounds, int nanosLater) throws Exception {
    Process program = start();
    int last = 0;
    try {
      BufferedReader output = output(program);
      assertThat(next(output, "open")).isEqualTo("open");
      for (int i = 0; i < rounds; i++) {
        last = Integer.parseInt(next(output, "[0-9]+"));
      }
      TimeUnit.NANOSECONDS.sleep(nanosLater);
      program.toHandle().destroyForcibly();
      for (String line = next(output, "[0-9]+"); !line.isEmpty(); line = next(output, "[0-9]+")) {
        last = Integer.parseInt(line);
      }
    } finally {
      end(program);
    }
    return last;
  }

  private Process start() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "-cp",
            System.getProperty("java.class.path"),
            CommittingProgram.class.getName(),
            temporary.toString())
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static BufferedReader output(Process process) {
    return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** The next whole line of this form, past lines of logging; empty at the end. */
  private static String next(BufferedReader output, String form) throws IOException {
    String line = output.readLine();
    while (line != null && !line.matches(form)) {
      line = output.readLine();
    }
    return line == null ? "" : line;
  }

  private static void end(Process process) throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the killed program ended").isTrue();
  }
}
