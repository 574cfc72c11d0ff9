package io.pagelift.tests.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.CountLog;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import org.junit.jupiter.api.Test;

/** The count goes on: what the victim wrote to a file says whether any moment of it was lost or happened twice. */
class CountingTest {
  @Test
  void theCountGoesOnWithoutGapOrRepeatOverFivePreDumpRounds() {
    try (Workspace workspace = Workspace.open("counting")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "counter", "32", "8");
      Migration migration = new Migration(victim, server, "m");
      for (int round = 0; round < 5; round++) {
        migration.preDump(1);
      }
      migration.dump();
      long linesAtTheDump = CountLog.read(victim.directory()).lineCount();
      migration.restore();
      Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > linesAtTheDump + 50);
      assertThat(victim.finish()).isEmpty();
      assertThat(CountLog.read(victim.directory()).breaks()).isEmpty();
    }
  }

  @Test
  void aVictimLeftRunningCountsOnAndItsImageIsWhole() {
    try (Workspace workspace = Workspace.open("leave-running")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "counter", "8", "4");
      long before = ProcessFacts.startTimeTicks(victim.pid());
      Migration migration = new Migration(victim, server, "m");
      migration.preDump(2);
      migration.dump("--leave-running");
      assertThat(ProcessFacts.startTimeTicks(victim.pid())).isEqualTo(before);
      assertThat(ProcessFacts.statusField(victim.pid(), "TracerPid").values()).containsOnly("0");
      long lines = CountLog.read(victim.directory()).lineCount();
      Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > lines + 50);
      assertThat(victim.finish()).isEmpty();
      assertThat(CountLog.read(victim.directory()).breaks()).isEmpty();
      assertThat(workspace.runProgram("page-server", "verify", "--read-data", "--store", server.store().toString()).exitCode()).isZero();
    }
  }

  @Test
  void aVictimMovesThreeTimesInARow() {
    try (Workspace workspace = Workspace.open("three-moves")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "counter", "8", "4");
      for (int move = 1; move <= 3; move++) {
        new Migration(victim, server, "move-" + move).run(1);
      }
      assertThat(victim.finish()).isEmpty();
      assertThat(CountLog.read(victim.directory()).breaks()).isEmpty();
    }
  }

  /** So much memory is read by several threads of the rebuilt process at once; some pages lie in pieces over many rounds. */
  @Test
  void aLargeVictimIsRebuiltFromTheStoresFiles() {
    try (Workspace workspace = Workspace.open("from-the-store")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "counter", "96", "16", "100");
      Migration migration = new Migration(victim, server, "m");
      migration.preDump(2);
      migration.dump();
      long linesAtTheDump = CountLog.read(victim.directory()).lineCount();
      migration.restoreFromStore();
      Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > linesAtTheDump + 50);
      assertThat(ProcessFacts.statusField(victim.pid(), "Threads").values()).containsOnly("1");
      assertThat(victim.finish()).isEmpty();
      assertThat(CountLog.read(victim.directory()).breaks()).isEmpty();
    }
  }
}
