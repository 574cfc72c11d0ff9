package io.pagelift.linux.inject;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.PidFd;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.DyingTracer;
import io.pagelift.linux.ptrace.InjectedTarget;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.PtraceOptions;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LivingInjectionTest {
  private static final long UFFD_USER_MODE_ONLY_CLOEXEC_NONBLOCK = 0x80801;
  private static final int SIGNALS = 62;

  @TempDir private static Path directory;
  private static Path program;

  @BeforeAll
  static void compile() throws Exception {
    program = InjectedTarget.compile(directory);
  }

  private static InjectedTarget start(String mode) {
    return InjectedTarget.start(program, mode.split(" "));
  }

  private static Deadline soon() {
    return Deadline.inMillis(30_000);
  }

  /** What the dumper does to a target: a userfaultfd that is fetched and closed, and state read through a work area. */
  private static void wholeWork(Tracee tracee) {
    // Not in the try's head: a tracer that dies closes nothing.
    LivingInjection injection = LivingInjection.open(tracee);
    try (PidFd process = PidFd.open(tracee.pid())) {
      long fd =
          injection.callThen(
              Cleanup.closeResult(), SyscallNumbers.USERFAULTFD, UFFD_USER_MODE_ONLY_CLOEXEC_NONBLOCK);
      Kernel.check(fd, "userfaultfd", tracee.pid(), "");
      process.fetch((int) fd).close();
      injection.workArea(16384);
      assertThat(injection.runCleanup()).isZero();
      Batch batch = injection.newBatch();
      long[] addresses = new long[SIGNALS];
      for (int i = 0; i < SIGNALS; i++) {
        addresses[i] = batch.reserve(32);
        batch.add(SyscallNumbers.RT_SIGACTION, i + 1, 0, addresses[i], 8);
      }
      injection.runBatch(batch).checkAll("signal actions");
    }
    injection.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "spin", "nanosleep", "futex", "poll", "read", "spin storm", "nanosleep storm", "futex storm", "read storm",
        "spin seccomp", "rseq"
      })
  void theTargetDoesNotNoticeWholeInjections(String mode) {
    try (InjectedTarget target = start(mode)) {
      for (int i = 0; i < 20; i++) {
        List<Tracee> threads = ProcessThreads.seizeAll(target.pid(), PtraceOptions.LIVING, soon());
        wholeWork(threads.get(0));
        threads.forEach(tracee -> tracee.detach(0));
      }
      target.assertUntouched("after 20 injections in " + mode);
    }
  }

  @Test
  void aRestartableSequenceThatIsInterruptedStartsAgain() {
    try (InjectedTarget target = start("rseq")) {
      for (int i = 0; i < 100; i++) {
        Tracee tracee = ProcessThreads.seizeAll(target.pid(), PtraceOptions.LIVING, soon()).get(0);
        try (LivingInjection injection = LivingInjection.open(tracee)) {
          injection.call(SyscallNumbers.GETPID);
          target.touch();
        }
        tracee.detach(0);
      }
      target.assertUntouched("after 100 injections into a restartable sequence");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"spin", "nanosleep", "futex", "poll", "spin storm", "nanosleep storm"})
  void theTargetFinishesTheInjectionItselfWhereverTheTracerDies(String mode) throws InterruptedException {
    try (InjectedTarget target = start(mode)) {
      boolean died = true;
      for (int requests = 1; died; requests += requests < 60 ? 1 : 13) {
        died = DyingTracer.run(target.pid(), target.pid(), requests, LivingInjectionTest::wholeWork);
        target.assertUntouched("in " + mode + " when the tracer died after " + requests + " requests");
      }
    }
  }

  @Test
  void theTargetGoesOnWhenTheTracersProcessIsKilled() throws Exception {
    try (InjectedTarget target = start("spin storm")) {
      for (int i = 0; i < 4; i++) {
        Process tracer =
            new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xshare:auto",
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Endless.class.getName(),
                    Integer.toString(target.pid()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // A byte for each injection: killed at a different place of one each time.
        for (int n = 0; n <= 10 * i; n++) {
          assertThat(tracer.getInputStream().read()).isEqualTo('.');
        }
        tracer.destroyForcibly().waitFor();
        target.assertUntouched("after tracer " + i + " was killed");
      }
    }
  }

  /** A program that injects into a process for ever. */
  static final class Endless {
    private Endless() {}

    public static void main(String[] arguments) {
      int pid = Integer.parseInt(arguments[0]);
      while (true) {
        List<Tracee> threads = ProcessThreads.seizeAll(pid, PtraceOptions.LIVING, soon());
        wholeWork(threads.get(0));
        threads.forEach(tracee -> tracee.detach(0));
        System.out.print('.');
        System.out.flush();
      }
    }
  }
}
