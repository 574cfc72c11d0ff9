package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Untouched;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong calls end at once with the documented code and one sentence, and touch nothing. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final int REMOTE = 4;

  private Workspace workspace;
  private Victim target;
  private Untouched before;
  private long zombie;

  @BeforeAll
  void open() {
    workspace = Workspace.open("bad-input");
    target = Victim.start(workspace, "threads");
    before = Untouched.of(target.pid());
    Running parent = workspace.start(List.of("sh", "-c", "true & exec sleep 600"));
    Await.until("a zombie is there", Await.LONG, () -> ProcessFacts.children(parent.pid()).stream().anyMatch(child -> !ProcessFacts.alive(child)));
    zombie = ProcessFacts.children(parent.pid()).get(0);
  }

  /** All the wrong calls have left the target as it was. */
  @AfterAll
  void theTargetOfAllWrongCallsRunsOn() {
    try (Workspace open = workspace) {
      assertThat(open.directory()).exists();
      before.expect(target.pid(), "all wrong calls");
      assertThat(target.finish()).isEmpty();
    }
  }

  /** Arguments, the exit code, a word that the message must have. NOBODY listens on port 1. */
  static Stream<Arguments> wrongCalls() {
    return Stream.of(
        call("dumper", USAGE, ""),
        call("dumper frobnicate", USAGE, "frobnicate"),
        call("dumper check --frobnicate", USAGE, "--frobnicate"),
        call("dumper check -t abc", USAGE, "abc"),
        call("dumper check -t 4194303", REFUSED, "4194303"),
        call("dumper check -t SELF", REFUSED, "outside the tree"),
        call("dumper check -t ZOMBIE", REFUSED, "has exited"),
        call("dumper dump", USAGE, "-t"),
        call("dumper dump -t TARGET --to 127.0.0.1:1 --frobnicate", USAGE, "--frobnicate"),
        call("dumper dump -t 1", USAGE, "--to"),
        call("dumper dump -t abc --to 127.0.0.1:1", USAGE, "abc"),
        call("dumper dump -t 0 --to 127.0.0.1:1", USAGE, "0"),
        call("dumper dump -t -5 --to 127.0.0.1:1", USAGE, "-5"),
        call("dumper dump -t 99999999999 --to 127.0.0.1:1", USAGE, "99999999999"),
        call("dumper dump -t 4194303 --to 127.0.0.1:1 --name x", REFUSED, "4194303"),
        call("dumper dump -t SELF --to 127.0.0.1:1 --name x", REFUSED, "outside the tree"),
        call("dumper dump -t ZOMBIE --to 127.0.0.1:1 --name x", REFUSED, "has exited"),
        call("dumper dump -t TARGET --to nowhere", USAGE, "nowhere"),
        call("dumper dump -t TARGET --to 127.0.0.1:0", USAGE, "port"),
        call("dumper dump -t TARGET --to 127.0.0.1:99999", USAGE, "99999"),
        call("dumper dump -t TARGET --to 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1"),
        call("dumper dump -t TARGET --to no.such.host.invalid:7070 --name x", REMOTE, "no.such.host.invalid"),
        call("dumper dump -t TARGET --to 127.0.0.1:1 --stats /nowhere/file", USAGE, "/nowhere/file"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --frobnicate", USAGE, "--frobnicate"),
        call("dumper pre-dump -t 4194303 --to 127.0.0.1:1 --name x", REFUSED, "4194303"),
        call("dumper pre-dump -t SELF --to 127.0.0.1:1 --name x", REFUSED, "outside the tree"),
        call("dumper pre-dump -t ZOMBIE --to 127.0.0.1:1 --name x", REFUSED, "has exited"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds 0", USAGE, "rounds"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds -3", USAGE, "rounds"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds many", USAGE, "many"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --interval -1", USAGE, "interval"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --mode=magic", USAGE, "magic"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --track=magic", USAGE, "magic"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name ../up", USAGE, "name"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name .hidden", USAGE, "name"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name LONG", USAGE, "name"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --stats /nowhere/file", USAGE, "/nowhere/file"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --stats /proc/file", USAGE, "/proc/file"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --stats /dev/full", USAGE, "/dev/full"),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --stats /", USAGE, "regular file"),
        call("restorer", USAGE, ""),
        call("restorer frobnicate", USAGE, "frobnicate"),
        call("restorer restore", USAGE, "--from"),
        call("restorer restore --frobnicate", USAGE, "--frobnicate"),
        call("restorer restore --from 127.0.0.1:1 --store /tmp", USAGE, "--store"),
        call("restorer restore --from 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1"),
        call("restorer restore --from nowhere --name x", USAGE, "nowhere"),
        call("restorer restore --store /nowhere --name x", USAGE, "/nowhere"),
        call("restorer restore --store /etc/passwd --name x", USAGE, "/etc/passwd"),
        call("restorer restore --store /etc --name x", USAGE, "/etc"),
        call("restorer show --frobnicate", USAGE, "--frobnicate"),
        call("restorer show --from 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1"),
        call("restorer show --store /nowhere --name x", USAGE, "/nowhere"),
        call("restorer show --store /etc/passwd --name x", USAGE, "/etc/passwd"),
        call("page-server", USAGE, "--store"),
        call("page-server --frobnicate", USAGE, "--frobnicate"),
        call("page-server --port 70000 --store STORE", USAGE, "70000"),
        call("page-server --port abc --store STORE", USAGE, "abc"),
        call("page-server --port 0 --store /etc/passwd", USAGE, "/etc/passwd"),
        call("page-server --port 0 --store /etc", REFUSED, "/etc"),
        call("page-server --port 0 --store /proc/nowhere", REFUSED, "/proc/nowhere"),
        call("page-server --port 0 --store STORE --address 0.0.0.0", REFUSED, "0.0.0.0"),
        call("page-server --port 0 --store STORE --address not.an.address.invalid", USAGE, "not.an.address.invalid"),
        call("page-server ls", USAGE, "--store"),
        call("page-server ls --store /nowhere", USAGE, "/nowhere"),
        call("page-server ls --store /etc/passwd", USAGE, "/etc/passwd"),
        call("page-server show --store /nowhere x", USAGE, "/nowhere"),
        call("page-server show --store /nowhere", USAGE, "NAME"),
        call("page-server verify --store /nowhere", USAGE, "/nowhere"),
        call("page-server verify --store STORE --frobnicate", USAGE, "--frobnicate"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongCalls")
  void aWrongCallEndsWithItsCodeAndOneSentence(String line, int code, String word) {
    expectFailure(workspace.startProgram(line.split(" ", 2)[0], arguments(line)), code, word);
  }

  private List<String> arguments(String line) {
    List<String> words = new ArrayList<>(List.of(line.split(" ", -1)));
    words.remove(0);
    words.replaceAll(
        each ->
            switch (each) {
              case "ZOMBIE" -> Long.toString(zombie);
              case "SELF" -> Long.toString(ProcessHandle.current().pid());
              case "TARGET" -> Long.toString(target.pid());
              case "LONG" -> "x".repeat(129);
              case "STORE" -> workspace.directory().resolve("store").toString();
              default -> each;
            });
    return words;
  }

  @ParameterizedTest
  @MethodSource("programs")
  void helpAndVersionGoToStandardOutputWithCodeZero(String program) {
    for (String option : List.of("--help", "--version")) {
      Finished finished = workspace.runProgram(program, option).mustSucceed();
      assertThat(finished.out()).contains(program);
      assertThat(finished.err()).isEmpty();
    }
  }

  static Stream<String> programs() {
    return Stream.of("page-server", "dumper", "restorer");
  }

  @Test
  void anOptionOfTheVerboseKindShowsTheStackTrace() {
    Finished finished = workspace.runProgram("dumper", "-v", "pre-dump", "-t", "4194303", "--to", "127.0.0.1:1");
    assertThat(finished.exitCode()).as(finished.describe()).isEqualTo(REFUSED);
    assertThat(finished.err()).as(finished.describe()).contains("\tat ");
  }

  /** A kernel thread can be seen outside of containers only. */
  @Test
  void aThreadOfTheKernelIsRefused() {
    long kernelThread = ProcessFacts.pids().stream().filter(BadInputTest::ofTheKernel).findFirst().orElse(-1L);
    if (kernelThread > 0) {
      for (String line : List.of("check -t PID", "pre-dump -t PID --to 127.0.0.1:1", "dump -t PID --to 127.0.0.1:1")) {
        List<String> words = List.of(line.replace("PID", Long.toString(kernelThread)).split(" ", -1));
        expectFailure(workspace.startProgram("dumper", words), REFUSED, "thread of the kernel");
      }
    }
  }

  private static boolean ofTheKernel(long pid) {
    List<String> stat = ProcessFacts.stat(pid, pid);
    return stat.size() > 8 && (Long.parseLong(stat.get(8)) & 0x200000) != 0;
  }

  /** Exit code, a sentence (a list only where many things are damaged or refused), what it is about, nothing for programmers. */
  static void expectFailure(Running command, int code, String word) {
    Finished finished = command.await(Await.LONG);
    assertThat(finished.exitCode()).as(finished.describe()).isEqualTo(code);
    assertThat(finished.err()).as(finished.describe()).contains(word).isNotBlank();
    assertThat(finished.err().lines().count()).as(finished.describe()).isLessThan(200);
    assertThat(finished.err()).as(finished.describe()).doesNotContain("\tat ").doesNotContain("Exception");
  }

  private static Arguments call(String line, int code, String word) {
    return Arguments.of(line, code, word);
  }
}
