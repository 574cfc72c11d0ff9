package io.pagelift.tests.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Home;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that nobody here wrote, installed from Debian's packages, go on correctly. */
class RealProgramsTest {
  @ParameterizedTest(name = "{0} pre-dump rounds")
  @ValueSource(ints = {0, 3})
  void pythonWithThreadsAndTimersGoesOn(int rounds) {
    try (Workspace workspace = Workspace.open("python-" + rounds)) {
      PageServer server = PageServer.start(workspace);
      Path directory = workspace.directory().resolve("victim");
      Victim victim = Victim.startCommand(workspace, List.of("/usr/bin/python3", program("worker.py"), directory.toString()));
      Await.pauseMillis(200);
      new Migration(victim, server, "m").run(rounds);
      Await.pauseMillis(200);
      assertThat(victim.finish(Duration.ofMinutes(2))).isEmpty();
    }
  }

  @ParameterizedTest(name = "{0} pre-dump rounds")
  @ValueSource(ints = {0, 3})
  void aShellPipelineLosesAndDoublesNoLine(int rounds) throws IOException {
    try (Workspace workspace = Workspace.open("pipeline-" + rounds)) {
      PageServer server = PageServer.start(workspace);
      Path directory = workspace.directory().resolve("victim");
      Victim victim = Victim.startCommand(workspace, List.of("/bin/sh", program("pipeline.sh"), directory.toString()));
      Await.pauseMillis(300);
      new Migration(victim, server, "m").run(rounds);
      long linesAfterTheMove = lines(directory).size();
      Await.until("the pipeline writes on", Await.LONG, () -> lines(directory).size() > linesAfterTheMove + 100);
      assertThat(victim.finish()).isEmpty();
      List<String> lines = lines(directory);
      for (int i = 0; i < lines.size(); i++) {
        assertThat(lines.get(i)).as("line %d", i + 1).isEqualTo(Integer.toString(2 * (i + 1)));
      }
    }
  }

  @ParameterizedTest(name = "{0}, {2} pre-dump rounds")
  @CsvSource({"xz, -T2 -6 --block-size=4MiB, 3", "zstd, -T2 -17 --no-progress, 3", "xz, -T2 -6 --block-size=4MiB, 0"})
  void twoThreadsCompressALargeFileToTheSameBytesAsUndisturbed(String compressor, String options, int rounds) throws IOException {
    try (Workspace workspace = Workspace.open(compressor + "-" + rounds)) {
      Path input = workspace.directory().resolve("input");
      writeCompressible(input, 24);
      Path directory = workspace.directory().resolve("victim");
      Files.createDirectories(directory);
      String command = String.format("%s %s -c %s", compressor, options, input);
      workspace.start(List.of("/bin/sh", "-c", command + " > " + workspace.directory().resolve("undisturbed"))).await(Duration.ofMinutes(5)).mustSucceed();
      PageServer server = PageServer.start(workspace);
      String script = String.format("echo $$ > %1$s/pid.tmp; mv %1$s/pid.tmp %1$s/pid; exec %2$s > %1$s/compressed", directory, command);
      Victim victim = Victim.startCommand(workspace, List.of("/bin/sh", "-c", script));
      Await.until("the compressor has two more threads", Await.LONG, () -> threads(victim) >= 3);
      new Migration(victim, server, "m").run(rounds);
      Await.until("the compressor ends", Duration.ofMinutes(5), () -> !victim.alive());
      assertThat(Files.mismatch(workspace.directory().resolve("undisturbed"), directory.resolve("compressed")))
          .as("position of the first byte that differs")
          .isEqualTo(-1L);
    }
  }

  private static int threads(Victim victim) {
    String[] threads = Path.of("/proc/" + victim.pid() + "/task").toFile().list();
    return threads == null ? 0 : threads.length;
  }

  private static List<String> lines(Path directory) {
    try {
      return Files.readAllLines(directory.resolve("lines"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Words at random: takes a compressor some time and gives it something to find. */
  private static void writeCompressible(Path file, int mebibytes) throws IOException {
    Random random = new Random(17);
    byte[][] words = new byte[5000][];
    for (int i = 0; i < words.length; i++) {
      words[i] = (Long.toString(random.nextLong(1L << (10 + random.nextInt(30))), 36) + " ").getBytes(StandardCharsets.US_ASCII);
    }
    try (OutputStream out = new java.io.BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
      for (long written = 0; written < (long) mebibytes << 20; ) {
        byte[] word = words[(int) Math.abs(random.nextGaussian() * 900) % words.length];
        out.write(word);
        written += word.length;
      }
    }
  }

  private static String program(String name) {
    return Home.root().resolve("tests/src/test/programs").resolve(name).toString();
  }
}
