package io.pagelift.tests.victim;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Victims that nobody touches find nothing broken: what they find in the other tests is not of their own making. */
class UndisturbedVictimTest {
  @ParameterizedTest
  @MethodSource("io.pagelift.tests.victim.VictimCase#all")
  void anUndisturbedVictimFindsNothingBroken(VictimCase victimCase) {
    try (Workspace workspace = Workspace.open("undisturbed-" + victimCase)) {
      Victim victim = Victim.start(workspace, victimCase.program(), victimCase.options());
      Await.pauseMillis(300);
      assertThat(victim.finish()).isEmpty();
    }
  }
}
