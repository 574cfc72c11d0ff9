package io.pagelift.tests.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import org.junit.jupiter.api.Test;

/** A process that maps, unmaps, remaps and writes at random, and knows a checksum of every page that it owns. */
class ChurnTest {
  private static final int DUMPS = 20;

  @Test
  void noPageIsLostOrMixedInTwentyDumpsUnderContinuousRounds() {
    try (Workspace workspace = Workspace.open("churn")) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "churner", "4242", "100");
      for (int dump = 1; dump <= DUMPS; dump++) {
        Migration migration = new Migration(victim, server, "churn-" + dump);
        migration.preDump(3);
        migration.dump();
        migration.restore();
        assertThat(victim.alive()).as("alive after dump %d; %s", dump, victim.state()).isTrue();
      }
      assertThat(victim.finish()).isEmpty();
    }
  }
}
