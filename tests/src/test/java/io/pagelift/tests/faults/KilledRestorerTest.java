package io.pagelift.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Killing the restorer with SIGKILL leaves no half-built process: the tree is there and whole, or not there at all. */
class KilledRestorerTest {
  private static final int KILLS = 10;

  @ParameterizedTest
  @ValueSource(strings = {"threads", "tree"})
  void aKilledRestorerLeavesNothingHalfBuilt(String program) {
    try (Workspace workspace = Workspace.open("killed-restorer-" + program)) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, program);
      Migration migration = new Migration(victim, server, "m");
      migration.dump("--leave-running");
      ProcessFacts.killTree(victim.pid());
      Await.until("the original is gone", Await.LONG, () -> !ProcessFacts.taken(victim.pid()));
      long lifeNanos = migration.restore().elapsedNanos();
      for (int kill = 0; kill < KILLS; kill++) {
        ProcessFacts.killTree(victim.pid());
        Await.until("the pids are free", Await.LONG, () -> !ProcessFacts.taken(victim.pid()));
        Running restorer =
            workspace.startProgram("restorer", List.of("restore", "--from", server.address(), "--name", "m", "--detached"));
        LockSupport.parkNanos(lifeNanos * (kill + 2) / (KILLS + 2));
        restorer.kill();
        restorer.await(Await.LONG);
        // Dying takes a moment; nothing may be left in a stop or with a tracer, and no seed of a process.
        Await.until("nothing half-built is left after kill " + kill, Await.LONG, () -> goneOrWhole(victim.pid()));
      }
      ProcessFacts.killTree(victim.pid());
      Await.until("the pids are free", Await.LONG, () -> !ProcessFacts.taken(victim.pid()));
      migration.restore();
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static boolean goneOrWhole(long pid) {
    if (!ProcessFacts.taken(pid)) {
      return true;
    }
    return ProcessFacts.alive(pid)
        && ProcessFacts.statusField(pid, "TracerPid").values().stream().allMatch("0"::equals)
        && ProcessFacts.statusField(pid, "State").values().stream().noneMatch(state -> state.startsWith("T") || state.startsWith("t"));
  }
}
