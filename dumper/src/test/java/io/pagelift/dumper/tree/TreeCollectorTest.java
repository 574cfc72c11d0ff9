package io.pagelift.dumper.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FreezeRehearsal;
import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import org.junit.jupiter.api.Test;

class TreeCollectorTest {
  @Test
  void aTreeIsCollectedAgainAndAgainAndRunsOnUnaware() {
    String script = "i=0; echo ready; while :; do i=$((i+1)); echo $i; sleep 0.001; done";
    try (Victim victim = Victim.shell(script)) {
      for (int i = 0; i < 10; i++) {
        assertThat(Collected.from(victim).image().getProcessesCount()).isPositive();
      }
      assertThat(Victim.status(victim.pid(), "TracerPid")).isEqualTo("0");
      victim.awaitOutput("\n50\n");
      String[] lines = victim.output().split("\n", -1);
      for (int i = 1; i < 50; i++) {
        assertThat(lines[i]).isEqualTo(String.valueOf(i));
      }
    }
  }

  @Test
  void aRehearsalNeverFails() {
    FreezeRehearsal.run();
  }

  @Test
  void theImageNamesTheHost() {
    try (Victim victim = Victim.shell("echo ready; sleep 1000")) {
      Collected collected = Collected.from(victim);
      assertThat(collected.image().getHost().getMachine()).isEqualTo("x86_64");
      assertThat(collected.image().getHost().getVdsoSha256().size()).isEqualTo(32);
      assertThat(collected.image().getHost().getXsaveBytes())
          .isEqualTo(collected.root().getThreads(0).getExtendedState().size());
      assertThat(collected.image().getRootPid()).isEqualTo(victim.pid());
    }
  }

  @Test
  void aTreeThatIsNoSessionOfItsOwnNeedsTheOptionForShellJobs() {
    try (Victim victim = Victim.shell("sleep 1000 & echo $! ; echo ready; wait")) {
      int child = Integer.parseInt(victim.output().split("\n", 2)[0]);
      assertThatThrownBy(() -> Collected.from(child, false))
          .isInstanceOf(PageliftException.class)
          .hasMessageContaining("--shell-job");
      assertThat(Collected.from(child, true).image().getShellJob()).isTrue();
    }
  }
}
