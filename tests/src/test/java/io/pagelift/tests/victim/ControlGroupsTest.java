package io.pagelift.tests.victim;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of the control group of a process that was put into one of its own. */
class ControlGroupsTest {
  private static Path group;
  private static String line;

  /** A group of the freezer, of the pids controller, or of the unified hierarchy, whichever is there: they need no set-up. */
  @BeforeEach
  void makeGroup() throws IOException {
    List<String> mounts = Files.readAllLines(Path.of("/proc/mounts"));
    for (String type : List.of("cgroup2", "cgroup")) {
      for (String mount : mounts) {
        String[] fields = mount.split(" ", -1);
        boolean plain = type.equals("cgroup2") || fields[3].matches(".*\\b(freezer|pids)\\b.*");
        if (fields[2].equals(type) && plain && Files.isWritable(Path.of(fields[1]))) {
          group = Path.of(fields[1], "pagelift-test-" + ProcessHandle.current().pid());
          Files.createDirectories(group.resolve("inner"));
          line = "/" + group.getFileName() + "/inner";
          return;
        }
      }
    }
    throw new AssertionError("There is no hierarchy of control groups to write to; mount one (cgroup2).");
  }

  @AfterEach
  void removeGroup() throws IOException {
    Files.deleteIfExists(group.resolve("inner"));
    Files.deleteIfExists(group);
  }

  @Test
  void aMovedProcessIsInTheGroupThatItWasIn() throws IOException {
    try (Workspace workspace = Workspace.open("cgroup-same")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = started(workspace);
      new Migration(victim, server, "m").run(0);
      assertThat(groups(victim)).anyMatch(entry -> entry.endsWith(":" + line));
      assertThat(victim.finish()).isEmpty();
    }
  }

  @Test
  void aMissingGroupIsRefusedByNameUnlessItMayBeLeftOut() throws IOException {
    try (Workspace workspace = Workspace.open("cgroup-missing")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = started(workspace);
      Migration migration = new Migration(victim, server, "m");
      migration.dump();
      Files.delete(group.resolve("inner"));
      Finished refused = workspace.runProgram("restorer", "restore", "--from", server.address(), "--name", "m", "--detached");
      assertThat(refused.exitCode()).as(refused.describe()).isEqualTo(3);
      assertThat(refused.err()).contains(line).contains("--cgroups=soft");
      Finished soft = migration.restore("--cgroups=soft");
      assertThat(soft.err()).contains(line);
      assertThat(groups(victim)).noneMatch(entry -> entry.endsWith(":" + line));
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static Victim started(Workspace workspace) throws IOException {
    Victim victim = Victim.start(workspace, "layout");
    Files.writeString(group.resolve("inner").resolve("cgroup.procs"), Long.toString(victim.pid()));
    return victim;
  }

  private static List<String> groups(Victim victim) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/" + victim.pid() + "/cgroup"))) {
      return lines.toList();
    }
  }
}
