package io.pagelift.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.VictimPrograms;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Killing the dumper with SIGKILL at any moment, in the middle of a freeze too, leaves the target running and clean. */
class KilledDumperTest {
  private static final int KILLS = 9;

  /**
   * What must be as before, looked at from outside. Not the vdso's zero tail: the code that walks the target home when its tracer
   * dies lies there and cannot take itself away; nothing jumps there any more.
   */
  private record Traces(
      List<String> mappings, Map<Long, String> descriptors, Map<Long, String> blocked, Map<Long, String> caught) {
    static Traces of(long pid) {
      return new Traces(
          ProcessFacts.mappings(pid),
          ProcessFacts.descriptors(pid),
          ProcessFacts.statusField(pid, "SigBlk"),
          ProcessFacts.statusField(pid, "SigCgt"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"registers", "sleeps", "threads"})
  void aPreDumpKilledInTheMiddleOfAFreezeLeavesTheTargetCleanAndRunning(String program) {
    killWhileFrozen(program, List.of("pre-dump", "--mode=read", "--rounds", "2"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"registers", "sleeps", "threads"})
  void aDumpKilledInTheMiddleOfItsFreezeLeavesTheTargetCleanAndRunning(String program) {
    killWhileFrozen(program, List.of("dump", "--leave-running"));
  }

  private static void killWhileFrozen(String program, List<String> arguments) {
    try (Workspace workspace = Workspace.open("killed-frozen-" + arguments.get(0) + "-" + program)) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, program);
      Traces before = Traces.of(victim.pid());
      List<Integer> frozenKills = new ArrayList<>();
      for (int kill = 0; kill < KILLS; kill++) {
        Running dumper = start(workspace, server, victim, arguments, "m" + kill);
        // The first ones die as soon as the tracer shows, the others later and later in the freeze or behind it.
        if (shot(victim, dumper, 30L * Math.max(0, kill - 3) * kill)) {
          frozenKills.add(kill);
        }
        dumper.kill();
        dumper.await(Await.LONG);
        expectClean(victim, before, "kill " + kill);
      }
      // The shortest delays at least hit the freeze; else this test would prove nothing.
      assertThat(frozenKills).as("kills while the target was traced").isNotEmpty();
      Migration whole = new Migration(victim, server, "whole");
      whole.run(1);
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static Running start(Workspace workspace, PageServer server, Victim victim, List<String> arguments, String name) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of("-t", Long.toString(victim.pid()), "--to", server.address(), "--name", name));
    return workspace.startProgram("dumper", all);
  }

  /** Lets the marksman kill the dumper; true if the target was traced then. */
  private static boolean shot(Victim victim, Running dumper, long delayMicros) {
    List<String> command =
        List.of(
            VictimPrograms.executable(VictimPrograms.MARKSMAN).toString(),
            Long.toString(victim.pid()),
            Long.toString(dumper.pid()),
            Long.toString(delayMicros));
    try {
      Process marksman = new ProcessBuilder(command).inheritIO().start();
      assertThat(marksman.waitFor(2, TimeUnit.MINUTES)).as("the marksman ends").isTrue();
      assertThat(marksman.exitValue()).as("the marksman could work").isBetween(0, 1);
      return marksman.exitValue() == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the marksman aims", e);
    }
  }

  private static boolean traced(long pid) {
    return ProcessFacts.statusField(pid, "TracerPid").values().stream().anyMatch(tracer -> !tracer.equals("0"));
  }

  private static void expectClean(Victim victim, Traces before, String when) {
    long pid = victim.pid();
    Await.until("no tracer after " + when, Duration.ofSeconds(20), () -> !traced(pid));
    // The target may be on its way home from an injected call: it needs a moment to get there.
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!Traces.of(pid).equals(before) && System.nanoTime() < end) {
      Await.pauseMillis(3);
    }
    Traces now = Traces.of(pid);
    assertThat(now.mappings()).as("mappings after %s", when).isEqualTo(before.mappings());
    assertThat(now).as(when).isEqualTo(before);
    assertThat(ProcessFacts.statusField(pid, "State").values()).as(when).noneMatch(state -> state.startsWith("T") || state.startsWith("t"));
  }
}
