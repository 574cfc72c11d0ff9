package io.pagelift.linux.ptrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.stub.SeedProcess;
import io.pagelift.linux.stub.StubRegion;
import io.pagelift.linux.stub.StubTask;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceeTest {
  private static final int XMM0 = 160;
  private static final int XSTATE_PRESENT = 512;
  private static final int SSE = 2;

  @TempDir private Path directory;
  private final List<StubTask> seeds = new ArrayList<>();
  private final List<Integer> children = new ArrayList<>();

  @AfterEach
  void endEverything() {
    seeds.forEach(seed -> seed.kill(soon()));
    children.forEach(pid -> Spawn.killAndReap(pid, soon()));
  }

  private static Deadline soon() {
    return Deadline.inMillis(30_000);
  }

  private Tracee seed() {
    StubTask seed = SeedProcess.spawn(StubRegion.at(0x2000_0000L), soon());
    seeds.add(seed);
    return seed.tracee();
  }

  private int sleeper() {
    int pid = Spawn.posixSpawn("/bin/sleep", List.of("sleep", "600"), SpawnActions.quiet());
    children.add(pid);
    return pid;
  }

  @Test
  void generalRegistersComeBackAsTheyWereSet() {
    Tracee tracee = seed();
    Registers set = tracee.registers().setRax(1).setR15(-2).setRsp(0x1234).setFsBase(0x5678).setRdi(-1);
    tracee.setRegisters(set);
    assertThat(tracee.registers()).isEqualTo(set);
  }

  @Test
  void extendedStateComesBackAsItWasSet() {
    Tracee tracee = seed();
    byte[] state = tracee.extendedState();
    ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putLong(XMM0, 0x0123_4567_89ab_cdefL);
    state[XSTATE_PRESENT] |= SSE;
    tracee.setExtendedState(state);
    assertThat(tracee.extendedState()).isEqualTo(state);
    assertThatThrownBy(() -> tracee.setExtendedState(new byte[100])).isInstanceOf(KernelException.class);
  }

  @Test
  void queuedSignalsAreListedInOrderAndStayQueued() {
    Tracee tracee = seed();
    int pid = tracee.pid();
    for (int signal : new int[] {Constants.SIGUSR1, Constants.SIGTERM}) {
      assertThat(Spawn.kill(pid, signal)).isZero();
    }
    for (int signal = 34; signal <= 64; signal++) {
      Spawn.killThread(pid, pid, signal);
      Spawn.killThread(pid, pid, signal);
    }
    for (int i = 0; i < 2; i++) {
      assertThat(tracee.pendingSignals(true).stream().map(TraceeTest::signalOf))
          .containsExactly(Constants.SIGUSR1, Constants.SIGTERM);
      List<Integer> own = tracee.pendingSignals(false).stream().map(TraceeTest::signalOf).toList();
      assertThat(own).hasSize(62).startsWith(34, 34, 35).endsWith(64, 64);
    }
  }

  private static int signalOf(byte[] information) {
    return ByteBuffer.wrap(information).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
  }

  @Test
  void anotherThreadIsToldWhoTracesTheTracee() throws InterruptedException {
    Tracee tracee = seed();
    FutureTask<Registers> asked = new FutureTask<>(tracee::registers);
    Thread other = new Thread(asked, "the other thread");
    other.start();
    assertThatThrownBy(asked::get)
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("ptrace answers only the thread that attached")
        .hasMessageContaining("the other thread");
    other.join();
  }

  @Test
  void aWaitThatEndsInVainNamesTheThread() {
    int pid = sleeper();
    Tracee tracee = Tracee.seize(pid, pid, PtraceOptions.LIVING);
    assertThatThrownBy(() -> tracee.awaitStop(Deadline.inMillis(20)))
        .hasMessage("waitid on a stop of thread " + pid + " of process " + pid + " failed with ETIMEDOUT");
  }

  @Test
  void theEndOfATraceeIsAStop() {
    int pid = sleeper();
    Tracee tracee = Tracee.seize(pid, pid, PtraceOptions.LIVING);
    Spawn.kill(pid, Constants.SIGKILL);
    assertThat(tracee.awaitStop(soon())).isEqualTo(new Stop(Stop.Kind.KILLED, Constants.SIGKILL));
  }

  @Test
  void aStoppedProcessStaysStoppedThroughAnInjection() {
    int pid = sleeper();
    Spawn.kill(pid, Constants.SIGSTOP);
    assertThat(soon().await(() -> ProcStatus.read(pid).state() == 'T')).isTrue();
    for (int i = 0; i < 3; i++) {
      Tracee tracee = ProcessThreads.seizeAll(pid, PtraceOptions.LIVING, soon()).get(0);
      assertThat(tracee.stop()).isEqualTo(new Stop(Stop.Kind.GROUP_STOP, Constants.SIGSTOP));
      try (LivingInjection injection = LivingInjection.open(tracee)) {
        injection.workArea(4096);
        assertThat(injection.call(SyscallNumbers.GETPID)).isEqualTo(pid);
      }
      assertThat(tracee.stop()).isEqualTo(new Stop(Stop.Kind.GROUP_STOP, Constants.SIGSTOP));
      tracee.detach(0);
      assertThat(soon().await(() -> ProcStatus.read(pid).state() == 'T')).isTrue();
    }
    Spawn.kill(pid, Constants.SIGCONT);
    assertThat(soon().await(() -> ProcStatus.read(pid).state() == 'S')).isTrue();
  }

  @Test
  void aSignalThatWasAboutToBeDeliveredSurvivesTheTracer() throws Exception {
    try (InjectedTarget target = InjectedTarget.start(InjectedTarget.compile(directory), "poll", "storm")) {
      for (int i = 0; i < 20; i++) {
        boolean died = DyingTracer.run(target.pid(), target.pid(), 1000, TraceeTest::dieAtASignal);
        assertThat(died).isTrue();
        target.assertRunning("after tracer " + i + " died at the delivery of a signal");
      }
      target.assertUntouched("after tracers that died at the delivery of a signal");
    }
  }

  private static void dieAtASignal(Tracee tracee) {
    do {
      tracee.resume(0);
    } while (tracee.awaitStop(soon()).kind() != Stop.Kind.SIGNAL);
    throw DyingTracer.death();
  }

  @Test
  void allThreadsAreStoppedAlthoughNewOnesKeepComing() throws Exception {
    try (InjectedTarget target = InjectedTarget.start(InjectedTarget.compile(directory), "threads")) {
      for (int i = 0; i < 50; i++) {
        List<Tracee> threads = ProcessThreads.seizeAll(target.pid(), PtraceOptions.LIVING, soon());
        long rounds = target.rounds();
        for (int tid : ProcTree.threads(target.pid())) {
          assertThat(ProcStatus.read(target.pid(), tid).state()).isIn('t', 'Z', 'X');
        }
        assertThat(target.rounds()).isEqualTo(rounds);
        threads.forEach(tracee -> tracee.detach(0));
      }
      target.assertRunning("after 50 freezes");
    }
  }
}
