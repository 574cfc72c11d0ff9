package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Home;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Untouched;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.VictimPrograms;
import io.pagelift.tests.harness.Workspace;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kernels and users that lack something: a seccomp filter takes calls away, setpriv(1) takes rights away. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MissingFeatureTest {
  private static final int REFUSED = 3;

  private Workspace workspace;
  private PageServer server;
  private Victim target;
  private Untouched before;

  @BeforeAll
  void open() {
    workspace = Workspace.open("missing-feature");
    server = PageServer.start(workspace);
    target = Victim.start(workspace, "threads");
    before = Untouched.of(target.pid());
    new Migration(target, server, "image").dump("--leave-running");
  }

  @AfterAll
  void theTargetRunsOn() {
    try (Workspace open = workspace) {
      assertThat(open.directory()).exists();
      before.expect(target.pid(), "all that was refused");
      assertThat(target.finish()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ptrace, dump -t PID --to SERVER --name a, ptrace",
    "ptrace, pre-dump -t PID --to SERVER --name a, ptrace",
    "kcmp, dump -t PID --to SERVER --name a, kcmp",
    "process_vm_readv, dump -t PID --to SERVER --name a, process_vm_readv",
    "process_vm_readv, pre-dump -t PID --to SERVER --name a, process_vm_readv",
    "pidfd_getfd, dump -t PID --to SERVER --name a, pidfd_getfd",
    "userfaultfd, pre-dump -t PID --to SERVER --name a --track=uffd-wp, userfaultfd",
    "pidfd_open, pre-dump -t PID --to SERVER --name a --track=uffd-wp, pidfd"
  })
  void aDumperWithoutACallThatItNeedsSaysWhichAndTouchesNothing(String call, String line, String word) {
    BadInputTest.expectFailure(start("dumper", call, line), REFUSED, word);
    before.expect(target.pid(), "a dumper without " + call);
  }

  @Test
  void aRestorerWithoutTheRightToChoosePidsSaysSo() {
    BadInputTest.expectFailure(start("restorer", "clone3", "restore --from SERVER --name image --detached"), REFUSED, "clone3");
  }

  @ParameterizedTest
  @CsvSource({
    "ptrace, Does not look good., 3",
    "kcmp, Does not look good., 3",
    "userfaultfd, 'Looks good but some kernel features are missing', 0"
  })
  void aCheckOnAKernelWithoutACallNamesItAndTheRemedy(String call, String phrase, int code) {
    Finished check = start("dumper", call, "check").await(Await.LONG);
    assertThat(check.exitCode()).as(check.describe()).isEqualTo(code);
    assertThat(check.out()).as(check.describe()).contains(phrase).containsIgnoringCase(call).doesNotContain("\tat ");
  }

  @Test
  void withoutUserfaultfdADumperTakesTheNextBestTracker() {
    Finished preDump = start("dumper", "userfaultfd", "pre-dump -t PID --to SERVER --name next-best --rounds 2").await(Await.LONG);
    assertThat(preDump.mustSucceed().out()).containsAnyOf("compare", "soft-dirty").doesNotContain("uffd-wp");
    before.expect(target.pid(), "a pre-dump without userfaultfd");
  }

  @ParameterizedTest
  @CsvSource({"pre-dump, sys_ptrace", "dump, sys_ptrace"})
  void aUserWithoutTheRightToTraceIsToldSo(String command, String capability) {
    List<String> words = new ArrayList<>(List.of("setpriv", "--bounding-set=-" + capability, "--inh-caps=-" + capability));
    words.add(Home.program("dumper").toString());
    words.addAll(arguments(command + " -t PID --to SERVER --name a"));
    BadInputTest.expectFailure(workspace.start(words), REFUSED, "root");
    before.expect(target.pid(), "a " + command + " without the right to trace");
  }

  private Running start(String program, String missing, String line) {
    List<String> words = new ArrayList<>(List.of(VictimPrograms.executable(VictimPrograms.WITHOUT).toString(), missing));
    words.add(Home.program(program).toString());
    words.addAll(arguments(line));
    return workspace.start(words);
  }

  private List<String> arguments(String line) {
    return List.of(line.replace("PID", Long.toString(target.pid())).replace("SERVER", server.address()).split(" ", -1));
  }
}
