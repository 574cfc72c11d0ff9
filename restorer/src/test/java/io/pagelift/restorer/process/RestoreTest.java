package io.pagelift.restorer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.restorer.plan.ControlGroupMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RestoreTest {
  private static final Duration BOUND = Duration.ofMinutes(1);

  @TempDir private Path directory;
  private int pid;

  @AfterEach
  void endTheVictim() {
    if (pid != 0) {
      Spawn.killAndReap(pid, Deadline.in(BOUND));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aShellGoesOnCountingWhereItWas(boolean segmentReadable) throws IOException {
    Path counts = directory.resolve("counts");
    pid = counter(counts);
    awaitLines(counts, 200);
    MemoryImage image = new MemoryImage(directory.resolve("pages"), segmentReadable);
    PlainDump.take(pid, image);
    List<MemoryMap> before = ProcessMaps.read(pid);
    List<String> commandLine = ProcTree.commandLine(pid);
    String program = ProcTree.link(pid, "exe");
    Spawn.killAndReap(pid, Deadline.in(BOUND));
    int linesAtDump = Files.readAllLines(counts).size();

    try (Restore restore = Restore.plan(image, image.tree(), ControlGroupMode.STRICT)) {
      restore.build();
      restore.run();
    }

    awaitLines(counts, linesAtDump + 200);
    assertThat(maps(ProcessMaps.read(pid))).isEqualTo(maps(before));
    assertThat(ProcTree.commandLine(pid)).isEqualTo(commandLine);
    assertThat(ProcTree.link(pid, "exe")).isEqualTo(program);
    Spawn.kill(pid, Constants.SIGTERM);
    assertThat(RootWait.exitCode(pid)).isEqualTo(128 + Constants.SIGTERM);
    pid = 0;
    List<String> lines = Files.readAllLines(counts);
    for (int i = 0; i < lines.size() - 1; i++) {
      assertThat(lines.get(i)).isEqualTo(Integer.toString(i + 1));
    }
  }

  @Test
  void aRestoreThatIsGivenUpLeavesNothing() throws IOException {
    Path counts = directory.resolve("counts");
    pid = counter(counts);
    awaitLines(counts, 1);
    MemoryImage image = new MemoryImage(directory.resolve("pages"), true);
    PlainDump.take(pid, image);
    Spawn.killAndReap(pid, Deadline.in(BOUND));
    List<Integer> childrenBefore = ProcTree.children(Kernel.pid());

    try (Restore restore = Restore.plan(image, image.tree(), ControlGroupMode.STRICT)) {
      restore.build();
    }

    assertThat(Path.of("/proc/" + pid)).doesNotExist();
    assertThat(ProcTree.children(Kernel.pid())).isEqualTo(childrenBefore);
    pid = 0;
  }

  @Test
  void aTakenProcessIdIsRefusedWithTheNameOfWhatHasIt() throws IOException {
    Path counts = directory.resolve("counts");
    pid = counter(counts);
    awaitLines(counts, 1);
    MemoryImage image = new MemoryImage(directory.resolve("pages"), true);
    PlainDump.take(pid, image);
    assertThatThrownBy(() -> Restore.plan(image, image.tree(), ControlGroupMode.STRICT))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("process id " + pid)
        .hasMessageContaining("'dash'");
  }

  @Test
  void aProcessThatEndedButWasNotCollectedIsToldFromARunningOne() throws IOException {
    Path counts = directory.resolve("counts");
    pid = counter(counts);
    awaitLines(counts, 1);
    MemoryImage image = new MemoryImage(directory.resolve("pages"), true);
    PlainDump.take(pid, image);
    Spawn.kill(pid, Constants.SIGKILL);
    assertThatThrownBy(() -> Restore.plan(image, image.tree(), ControlGroupMode.STRICT))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("process id " + pid)
        .hasMessageContaining("not collected by its parent, process " + Kernel.pid());
  }

  @Test
  void aStepThatFailsNamesItAndLeavesNothing() throws IOException {
    Path counts = directory.resolve("counts");
    pid = counter(counts);
    awaitLines(counts, 1);
    MemoryImage image = new MemoryImage(directory.resolve("pages"), true);
    PlainDump.take(pid, image);
    Spawn.killAndReap(pid, Deadline.in(BOUND));
    Files.write(directory.resolve("pages"), new byte[100]);
    List<Integer> childrenBefore = ProcTree.children(Kernel.pid());

    try (Restore restore = Restore.plan(image, image.tree(), ControlGroupMode.STRICT)) {
      assertThatThrownBy(restore::build)
          .isInstanceOf(PageliftException.class)
          .hasMessageContaining("Process " + pid)
          .hasMessageContaining("read pages");
    }

    assertThat(Path.of("/proc/" + pid)).doesNotExist();
    assertThat(ProcTree.children(Kernel.pid())).isEqualTo(childrenBefore);
    pid = 0;
  }

  @Test
  void anImageOfAnotherFormatOrMachineIsRefused() {
    MemoryImage image = new MemoryImage(directory.resolve("pages"), true);
    image.tree(TreeImage.newBuilder().setFormatVersion(2).setSoftware("pagelift dumper 9").build());
    assertThatThrownBy(() -> Restore.plan(image, image.tree(), ControlGroupMode.STRICT))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("format 2")
        .hasMessageContaining("pagelift dumper 9");
  }

  private static int counter(Path counts) {
    String script = "i=0; while :; do i=$((i+1)); echo $i >> " + counts + "; done";
    return Spawn.posixSpawn("/bin/dash", List.of("dash", "-c", script), SpawnActions.quiet().closeFrom(3));
  }

  private static void awaitLines(Path file, int count) {
    assertThat(
            Deadline.in(BOUND)
                .await(
                    () -> {
                      try {
                        return Files.exists(file) && Files.readAllLines(file).size() >= count;
                      } catch (IOException e) {
                        return false;
                      }
                    }))
        .isTrue();
  }

  private static List<String> maps(List<MemoryMap> maps) {
    return maps.stream().map(MemoryMap::toString).toList();
  }
}
