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
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One process at a time writes a store. */
class StoreLockTest {
  @TempDir Path temporary;

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
