package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.SIGSTOP;

import io.pagelift.image.ProcessImage;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import io.pagelift.restorer.process.BuiltProcess.BuiltThread;
import java.time.Duration;
import java.util.List;

/**
 * Takes the stub out of finished processes, gives every thread its final registers and lets the tree go.
 *
 * <p>All threads are first brought into a stop of the kind that {@code PTRACE_INTERRUPT} makes. It comes before the next
 * instruction of the program, so the threads never run code that is gone or not theirs, and from it the kernel restarts
 * interrupted calls itself (see {@link io.pagelift.restorer.thread.FinalRegisters}).
 */
final class Release {
  private static final Duration STOP_BOUND = Duration.ofMinutes(1);

  private Release() {}

  /** The last step that can fail: afterwards every thread only waits to be let go. */
  static void prepare(BuiltProcess process) {
    List<BuiltThread> threads = process.threads();
    for (BuiltThread thread : threads.subList(1, threads.size())) {
      prepare(thread);
    }
    process.leader().task().unmapRegion(Deadline.in(STOP_BOUND));
    prepare(process.leader());
  }

  private static void prepare(BuiltThread thread) {
    Tracee tracee = thread.task().tracee();
    tracee.interrupt();
    tracee.resume(0);
    Stop stop = tracee.awaitStop(Deadline.in(STOP_BOUND));
    if (stop.kind() != Stop.Kind.INTERRUPTED) {
      throw new KernelException("PTRACE_INTERRUPT", Errno.EINTR, tracee.pid(), "thread " + tracee.tid() + " at " + stop);
    }
    if (!thread.image().getExtendedState().isEmpty()) {
      tracee.setExtendedState(thread.image().getExtendedState().toByteArray());
    }
    tracee.setRegisters(thread.registers());
    tracee.setSignalMask(thread.image().getSignalMask());
  }

  /** Lets the threads go. A process that was stopped by a signal is stopped again: it does not run an instruction. */
  static void letGo(BuiltProcess process) {
    if (process.image().getState() == ProcessImage.State.STOPPED) {
      Spawn.kill(process.pid(), SIGSTOP);
    }
    process.threads().forEach(thread -> thread.task().tracee().detach(0));
  }
}
