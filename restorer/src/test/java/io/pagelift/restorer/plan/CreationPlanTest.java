package io.pagelift.restorer.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.TreeImage;
import io.pagelift.restorer.plan.CreationStep.Create;
import io.pagelift.restorer.plan.CreationStep.End;
import io.pagelift.restorer.plan.CreationStep.JoinGroup;
import io.pagelift.restorer.plan.CreationStep.NewSession;
import java.util.List;
import org.junit.jupiter.api.Test;

class CreationPlanTest {
  @Test
  void theRootOfAShellJobStaysInTheRestorersSessionAndGroup() {
    assertThat(plan(process(10, 0, 5, 3)))
        .containsExactly(new Create(10, 0, true, false));
  }

  @Test
  void aChildInItsParentsSessionIsClonedAfterTheSessionBegan() {
    assertThat(plan(process(10, 0, 10, 10), process(11, 10, 10, 10)))
        .containsExactly(
            new Create(10, 0, true, false), new NewSession(10), new Create(11, 10, false, false), new JoinGroup(11, 10));
  }

  @Test
  void aChildInTheSessionThatItsParentLeftIsClonedBeforeTheParentLeavesIt() {
    List<CreationStep> steps =
        plan(process(10, 0, 10, 10), process(11, 10, 11, 11), process(12, 11, 12, 10), process(13, 11, 11, 11));
    assertThat(steps)
        .containsExactly(
            new Create(10, 0, true, false),
            new NewSession(10),
            new Create(11, 10, false, false),
            new Create(12, 11, false, false),
            new NewSession(11),
            new Create(13, 11, false, false),
            new JoinGroup(12, 12),
            new JoinGroup(13, 11));
  }

  @Test
  void anAdoptedProcessIsClonedByTheSiblingThatLeadsItsSession() {
    List<CreationStep> steps = plan(process(10, 0, 10, 10), process(11, 10, 11, 12), process(12, 10, 12, 12));
    assertThat(steps)
        .containsSubsequence(new Create(12, 10, false, false), new NewSession(12), new Create(11, 12, true, false));
  }

  @Test
  void aSessionThatNobodyLeadsAnyMoreIsRefusedByName() {
    assertThatThrownBy(() -> plan(process(10, 0, 10, 10), process(11, 10, 11, 7)))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("Process 11")
        .hasMessageContaining("session 7");
  }

  @Test
  void aGroupWhoseLeaderIsGoneIsFoundedByATemporaryProcess() {
    List<CreationStep> steps = plan(process(10, 0, 10, 10), process(11, 10, 9, 10), process(12, 10, 9, 10));
    assertThat(steps)
        .endsWith(
            new Create(9, 11, false, true),
            new JoinGroup(9, 9),
            new JoinGroup(11, 9),
            new JoinGroup(12, 9),
            new End(9, 11));
  }

  private static List<CreationStep> plan(ProcessImage... processes) {
    TreeImage.Builder tree = TreeImage.newBuilder().setRootPid(10);
    for (ProcessImage process : processes) {
      tree.addProcesses(process);
    }
    return CreationPlan.of(tree.build());
  }

  private static ProcessImage process(int pid, int parent, int group, int session) {
    return ProcessImage.newBuilder().setPid(pid).setParentPid(parent).setProcessGroup(group).setSession(session).build();
  }
}
