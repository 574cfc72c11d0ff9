package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Untouched;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import org.junit.jupiter.api.Test;

/** {@code dumper check -t} tells of a running tree what a dump of it would refuse, object by object, and touches nothing. */
class CheckTreeTest {
  private static final int REFUSED = 3;

  @Test
  void whatStandsAgainstADumpIsNamedWithItsProcessAndRemedy() {
    try (Workspace workspace = Workspace.open("check-refused")) {
      Victim victim = Victim.start(workspace, "places", "linkremap");
      Untouched before = Untouched.of(victim.pid());
      Finished check = check(workspace, victim);
      assertThat(check.exitCode()).as(check.describe()).isEqualTo(REFUSED);
      assertThat(check.out().lines().filter(line -> line.startsWith("Error: Process " + victim.pid() + ": fd ")))
          .as(check.describe())
          .hasSize(4)
          .allMatch(line -> line.contains("(deleted)") && line.contains("--link-remap"));
      assertThat(check.out()).contains("Does not look good.");
      Finished allowed = check(workspace, victim, "--link-remap");
      assertThat(allowed.exitCode()).as(allowed.describe()).isZero();
      assertThat(allowed.out()).doesNotContain("Error: ");
      before.expect(victim.pid(), "two checks");
      assertThat(victim.finish()).isEmpty();
    }
  }

  @Test
  void aTreeIsJudgedByTheSameOptionsAsDump() {
    try (Workspace workspace = Workspace.open("check-limit")) {
      Victim victim = Victim.start(workspace, "ghosts", "limit");
      Finished tooLarge = check(workspace, victim);
      assertThat(tooLarge.exitCode()).as(tooLarge.describe()).isEqualTo(REFUSED);
      assertThat(tooLarge.out()).contains("many holes", "--ghost-limit");
      Finished allowed = check(workspace, victim, "--ghost-limit", "8M");
      assertThat(allowed.exitCode()).as(allowed.describe()).isZero();
      Finished wrong = check(workspace, victim, "--ghost-limit", "many");
      assertThat(wrong.exitCode()).as(wrong.describe()).isEqualTo(2);
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static Finished check(Workspace workspace, Victim victim, String... options) {
    String[] arguments = new String[3 + options.length];
    arguments[0] = "check";
    arguments[1] = "-t";
    arguments[2] = Long.toString(victim.pid());
    System.arraycopy(options, 0, arguments, 3, options.length);
    return workspace.runProgram("dumper", arguments);
  }
}
