package io.pagelift.tests.victim;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory of huge pages is moved. The kernel is asked for the pages first: a machine that cannot give them fails here. */
class HugePagesTest {
  private static final Path COUNT = Path.of("/proc/sys/vm/nr_hugepages");

  /** The victim uses up to 9; its copy is built when it is gone. */
  private static final int NEEDED = 16;

  private static String before;

  @BeforeAll
  static void reserve() throws IOException {
    before = count();
    if (Integer.parseInt(before) < NEEDED) {
      Files.writeString(COUNT, Integer.toString(NEEDED));
    }
    assertThat(Integer.parseInt(count())).as("huge pages that the kernel gave").isGreaterThanOrEqualTo(NEEDED);
  }

  /** In one read: such files give nothing to a second one, and Files.readString reads a first byte alone. */
  private static String count() throws IOException {
    return Files.readAllLines(COUNT).get(0).trim();
  }

  @AfterAll
  static void giveBack() throws IOException {
    Files.writeString(COUNT, before);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void hugePagesAreMovedWithTheirContents(int rounds) {
    try (Workspace workspace = Workspace.open("huge-" + rounds)) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "hugepages");
      new Migration(victim, server, "huge").run(rounds);
      Await.pauseMillis(100);
      assertThat(victim.finish()).isEmpty();
    }
  }
}
