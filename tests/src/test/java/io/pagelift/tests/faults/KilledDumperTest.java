package io.pagelift.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Untouched;
import io.pagelift.tests.harness.VdsoPage;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Killing the dumper with SIGKILL at any moment leaves the target running and clean, and another try works.
 *
 * <p>In a freeze, the victims check their registers, flags, vector registers, sleeps and locks by themselves; what can be seen from
 * outside is {@link Untouched}. The stub's code may stay in the zero tail of the target's own copy of the vdso: it cannot take
 * itself away. Nothing jumps there, and the next dumper that works puts the zeros back.
 */
class KilledDumperTest {
  /** Kills inside of freezes, for each case. */
  private static final int KILLS_IN_FREEZES = 5;

  /** The shot is aimed; but the machine may be busy, and the next freeze shorter than the one that was measured. */
  private static final int MOST_SHOTS = 4 * KILLS_IN_FREEZES;

  private static final int ROUNDS = 3;

  private static final List<String> PRE_DUMP = List.of("pre-dump", "--mode=read", "--rounds", "2");

  /** Without tracking the only freeze is the last one, which collects the whole state. */
  private static final List<String> DUMP = List.of("dump", "--leave-running", "--track=compare");

  @ParameterizedTest
  @ValueSource(strings = {"registers", "sleeps", "threads"})
  void aPreDumpKilledInTheMiddleOfAFreezeLeavesTheTargetCleanAndRunning(String program) {
    killWhileFrozen(program, PRE_DUMP);
  }

  @ParameterizedTest
  @ValueSource(strings = {"registers", "sleeps", "threads"})
  void aDumpKilledInTheMiddleOfItsFreezeLeavesTheTargetCleanAndRunning(String program) {
    killWhileFrozen(program, DUMP);
  }

  private static void killWhileFrozen(String program, List<String> arguments) {
    try (Workspace workspace = Workspace.open("killed-frozen-" + arguments.get(0) + "-" + program)) {
      PageServer server = PageServer.start(workspace);
      // Between a thread's stop and its repair a kill shows as EINTR to calls that any stop ends so, signal(7).
      Victim victim = Victim.start(workspace, program, "stopped");
      Untouched before = Untouched.of(victim.pid());
      Marksman marksman = new Marksman(victim, 1);
      Running whole = start(workspace, server, victim, arguments, "measured");
      long freezeMicros = marksman.measureMicros(whole);
      whole.await(Await.LONG).mustSucceed();
      before.expect(victim.pid(), "an undisturbed " + arguments.get(0));
      assertThat(VdsoPage.of(victim.pid()).strayBytes()).as("bytes left in the vdso by a dumper that was not killed").isZero();
      forgetTracking(workspace, server, victim);
      int hits = 0;
      int misses = 0;
      int mostStrayBytes = 0;
      for (int shot = 0; hits < KILLS_IN_FREEZES && shot < MOST_SHOTS; shot++) {
        Running dumper = start(workspace, server, victim, arguments, "m" + shot);
        // Spread over the freeze; after each shot that came too late, closer to its begin.
        boolean hit = marksman.shoot(dumper, ((freezeMicros * hits) / KILLS_IN_FREEZES) >> (2 * misses));
        dumper.kill();
        dumper.await(Await.LONG);
        hits += hit ? 1 : 0;
        misses = hit ? 0 : misses + 1;
        before.expect(victim.pid(), "kill " + shot);
        if (!hit) {
          forgetTracking(workspace, server, victim);
        }
        mostStrayBytes = Math.max(mostStrayBytes, VdsoPage.of(victim.pid()).strayBytes());
      }
      System.out.printf(
          "%s of %s: %d kills in freezes of about %d us, at most %d bytes of the stub left%n",
          arguments.get(0), program, hits, freezeMicros, mostStrayBytes);
      assertThat(hits).as("kills while the target was traced").isEqualTo(KILLS_IN_FREEZES);
      expectCleanRetry(workspace, new Migration(victim, server, "again"), victim, before);
    }
  }

  /** A pre-dump that went on from an earlier one's tracking would freeze nothing; a dump ends the tracking. */
  private static void forgetTracking(Workspace workspace, PageServer server, Victim victim) {
    start(workspace, server, victim, List.of("dump", "--leave-running"), "forget").await(Await.LONG).mustSucceed();
  }

  /** What a dumper is doing, as far as it shows from outside. */
  private enum Moment {
    STARTING,
    CONNECTED,
    SENDING,
    ALL_SENT,
    COMMITTED,
    REPORTED,
    LAST_COMMITTED
  }

  @ParameterizedTest
  @ValueSource(strings = {"pre-dump", "dump"})
  void aDumperKilledOutsideOfAFreezeLeavesTheTargetCleanAndAnotherTryWorks(String command) {
    int mebibytes = 48;
    try (Workspace workspace = Workspace.open("killed-any-time-" + command)) {
      PageServer server = PageServer.start(workspace);
      Victim victim = Victim.start(workspace, "counter", Integer.toString(mebibytes), "4");
      Untouched before = Untouched.of(victim.pid());
      List<String> arguments =
          command.equals("dump") ? List.of("dump", "--leave-running") : List.of("pre-dump", "--mode=read", "--rounds", Integer.toString(ROUNDS));
      Set<Moment> hit = EnumSet.noneOf(Moment.class);
      for (Moment moment : Moment.values()) {
        for (int attempt = 0; attempt < 3 && !hit.contains(moment); attempt++) {
          String name = command + "-" + moment.name() + attempt;
          long pagesBefore = server.storedBytes();
          Running dumper = start(workspace, server, victim, arguments, name);
          long wholeBytes = (long) mebibytes << 20;
          if (reached(dumper, () -> at(moment, dumper, server, name, server.storedBytes() - pagesBefore, wholeBytes))) {
            hit.add(moment);
          }
          dumper.kill();
          dumper.await(Await.LONG);
          before.expect(victim.pid(), "a kill when it was " + moment);
        }
      }
      assertThat(hit).as("moments at which a dumper was killed").containsExactly(Moment.values());
      // Under the name of one that was killed half-way: the server must have forgotten its open round.
      expectCleanRetry(workspace, new Migration(victim, server, command + "-SENDING0"), victim, before);
    }
  }

  private static boolean at(
      Moment moment, Running dumper, PageServer server, String name, long storedBytes, long wholeBytes) {
    boolean dump = name.startsWith("dump");
    return switch (moment) {
      case STARTING -> dumper.elapsedMillis() > 150;
      case CONNECTED -> dumper.hasSocket();
      case SENDING -> storedBytes > wholeBytes / 3;
      // The manifest is being written, or has just been.
      case ALL_SENT -> server.hasPart(name) || server.committedRounds(name) > 0;
      case COMMITTED -> server.committedRounds(name) > 0;
      case REPORTED -> dumper.outSoFar().lines().count() > 1;
      case LAST_COMMITTED -> dump ? server.hasImage(name) && !server.hasPart(name) : server.committedRounds(name) == ROUNDS;
    };
  }

  /** Whether the condition came to hold before the dumper ended. */
  private static boolean reached(Running dumper, java.util.function.BooleanSupplier condition) {
    long end = System.nanoTime() + Await.LONG.toNanos();
    while (dumper.running() && System.nanoTime() < end) {
      if (condition.getAsBoolean()) {
        return dumper.running();
      }
      LockSupport.parkNanos(200_000);
    }
    return false;
  }

  /** A pre-dump that is not killed cleans up behind those that were; then the target is moved, and checks itself. */
  private static void expectCleanRetry(Workspace workspace, Migration migration, Victim victim, Untouched before) {
    migration.preDump(1);
    before.expect(victim.pid(), "a pre-dump behind the killed ones");
    assertThat(VdsoPage.of(victim.pid()).strayBytes()).as("bytes left in the vdso").isZero();
    migration.dump();
    migration.restore();
    assertThat(victim.finish(Duration.ofMinutes(2))).isEmpty();
    assertThat(workspace.directory()).exists();
  }

  private static Running start(Workspace workspace, PageServer server, Victim victim, List<String> arguments, String name) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of("-t", Long.toString(victim.pid()), "--to", server.address(), "--name", name));
    return workspace.startProgram("dumper", all);
  }
}
