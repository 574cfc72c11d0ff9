package io.pagelift.dumper.freeze;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.PtraceOptions;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Freezes a tree that does not hold still.
 *
 * <p>A process is stopped by seizing and interrupting every thread that its task directory lists, and listing again until
 * nothing new is there: a stopped thread makes no threads, so the last listing is complete. Only then are its children looked
 * at: a process all of whose threads are stopped forks no more. The children are stopped the same way, and the walk over the
 * tree is repeated until it finds nothing new, because an orphan may have been handed to a process that was looked at before
 * (a subreaper). The kernel's list of children is exact only while the children themselves hold still, which in the last walk
 * they do.
 *
 * <p>A thread that does not stop is in an uninterruptible call (state D). The common one is harmless: a parent in vfork(2) waits for its
 * child to exec, and would wait for ever once we have stopped that child. So an attempt that meets such a thread lets everything
 * go, gives the tree a moment, and starts again, until the bound passes.
 */
final class TreeFreezer {
  /** Where a machine is overloaded even a healthy thread may take long to stop. */
  private static final long ATTEMPT_NANOS = TimeUnit.SECONDS.toNanos(3);

  /** Between two looks at a thread that does not stop. A disk's answer takes less than three of them. */
  private static final long LOOK_MILLIS = 10;

  private static final int UNREACHABLE_LOOKS = 3;

  /** On kernels without /proc/PID/stack or sched no look helps, so it does not go on for ever. */
  private static final int MAX_RESAMPLES = 8;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final TracerThread tracer;
  private final int rootPid;
  private final boolean sampleSleeps;
  private HeldThreads held = new HeldThreads();
  private final Set<Integer> pids = new LinkedHashSet<>();
  private SleepSamples samples = SleepSamples.none();
  private int resamples;

  TreeFreezer(TracerThread tracer, int rootPid, boolean sampleSleeps) {
    this.tracer = tracer;
    this.rootPid = rootPid;
    this.sampleSleeps = sampleSleeps;
  }

  /** Runs on the tracer thread. */
  FrozenTree freeze(Deadline deadline) {
    try (RawReader reader = new RawReader()) {
      long pauseNanos = PAUSE_NANOS;
      while (true) {
        Attempt attempt = attempt(reader, deadline);
        if (attempt.tree != null) {
          return attempt.tree;
        }
        if (deadline.passed()) {
          throw new PageliftException(ErrorCategory.EXHAUSTED, "The tree of process " + rootPid + " could not be frozen: "
              + attempt.obstacle + "; try again when that call is over.");
        }
        LockSupport.parkNanos(pauseNanos);
        pauseNanos = Math.min(LONGEST_PAUSE_NANOS, pauseNanos * 2);
        tracer.letGoStragglers();
      }
    }
  }

  private Attempt attempt(RawReader reader, Deadline deadline) {
    pids.clear();
    samples = sampleSleeps ? SleepSamples.take(reader, ProcessWalk.pids(reader, rootPid)) : SleepSamples.none();
    long beganNanos = System.nanoTime();
    Deadline attemptDeadline = new Deadline(beganNanos + Math.min(ATTEMPT_NANOS, deadline.remainingNanos()));
    boolean complete = false;
    try {
      stopAll(reader, attemptDeadline);
      if (sampleSleeps && resamples < MAX_RESAMPLES && anyUnknownCall()) {
        resamples++;
        return new Attempt(null, "threads whose interrupted calls could not be told");
      }
      FreezeTimes times =
          new FreezeTimes(
              beganNanos,
              System.nanoTime(),
              reader.clockNanos(Constants.CLOCK_REALTIME),
              reader.clockNanos(Constants.CLOCK_MONOTONIC),
              reader.clockNanos(Constants.CLOCK_BOOTTIME));
      List<FrozenProcess> processes = new TreeReading(reader, held, tracer).processes(rootPid, pids);
      HeldThreads handedOver = held;
      held = new HeldThreads();
      complete = true;
      return new Attempt(new FrozenTree(tracer, handedOver, processes, samples, times), "");
    } catch (KernelException e) {
      if (e.errno() == Errno.ETIMEDOUT) {
        return new Attempt(null, "thread " + e.object() + " of process " + e.pid() + " does not stop");
      }
      if (e.processGone() || e.errno() == Errno.ECHILD) {
        return new Attempt(null, "process " + e.pid() + " changes all the time (" + e.getMessage() + ")");
      }
      throw e;
    } finally {
      if (!complete) {
        held.letGo(tracer);
      }
    }
  }

  /**
   * Whether a thread is in restart_syscall(2), because an earlier freeze interrupted it, and was not seen asleep in it before
   * this one: then nothing tells which call it really is in. A moment later it sleeps again and can be seen.
   */
  private boolean anyUnknownCall() {
    for (Tracee tracee : held.all()) {
      Registers registers = tracee.registers();
      if (registers.restartPending()
          && registers.syscallNumber() == SyscallNumbers.RESTART_SYSCALL
          && samples.of(tracee.tid()) == null) {
        return true;
      }
    }
    return false;
  }

  private void stopAll(RawReader reader, Deadline deadline) {
    pids.add(rootPid);
    boolean found = true;
    while (found) {
      found = false;
      for (int pid : List.copyOf(pids)) {
        found |= stopProcess(reader, pid, deadline);
        found |= pids.addAll(ProcessWalk.children(reader, pid));
      }
      if (deadline.passed()) {
        throw new KernelException("PTRACE_SEIZE", Errno.ETIMEDOUT, rootPid, "of a tree that grows without end");
      }
    }
  }

  /** Stops what is new in a process; returns whether there was anything. */
  private boolean stopProcess(RawReader reader, int pid, Deadline deadline) {
    boolean any = false;
    while (true) {
      List<Tracee> fresh = seizeNew(reader, pid);
      if (fresh.isEmpty()) {
        return any;
      }
      any = true;
      for (Tracee tracee : fresh) {
        if (stopped(reader, tracee, deadline).ended()) {
          held.remove(tracee);
        } else {
          UnnoticedStop.mend(tracee);
        }
      }
      if (deadline.passed()) {
        throw new KernelException("PTRACE_SEIZE", Errno.ETIMEDOUT, pid, "of a process that makes threads without end");
      }
    }
  }

  /** Waits for a thread to stop; not for long when it sleeps where no signal reaches it. */
  private static Stop stopped(RawReader reader, Tracee tracee, Deadline deadline) {
    int unreachable = 0;
    while (true) {
      try {
        return ProcessThreads.stopped(tracee, Deadline.inMillis(LOOK_MILLIS));
      } catch (KernelException e) {
        if (e.errno() != Errno.ETIMEDOUT) {
          throw e;
        }
        String status = reader.text("/proc/" + tracee.pid() + "/task/" + tracee.tid() + "/status");
        unreachable = ProcessWalk.state(status) == 'D' ? unreachable + 1 : 0;
        if (unreachable == UNREACHABLE_LOOKS || deadline.passed()) {
          throw e;
        }
      }
    }
  }

  private List<Tracee> seizeNew(RawReader reader, int pid) {
    List<Tracee> fresh = new ArrayList<>();
    List<Integer> tids = reader.numbers("/proc/" + pid + "/task");
    if (tids.isEmpty() && pid == rootPid) {
      throw new PageliftException(ErrorCategory.REFUSED, "Process " + pid + " does not exist (any more).");
    }
    for (int tid : tids) {
      if (!held.has(tid)) {
        try {
          Tracee tracee = Tracee.seize(pid, tid, PtraceOptions.LIVING);
          held.add(tracee);
          tracee.interrupt();
          fresh.add(tracee);
        } catch (KernelException e) {
          judge(reader, pid, tid, e);
        }
      }
    }
    return fresh;
  }

  /** A thread could not be seized: fine if it has ended, an error for the user otherwise. */
  private static void judge(RawReader reader, int pid, int tid, KernelException failure) {
    if (failure.errno() == Errno.ESRCH) {
      return;
    }
    if (failure.errno() != Errno.EPERM) {
      throw failure;
    }
    String status = reader.text("/proc/" + pid + "/task/" + tid + "/status");
    char state = ProcessWalk.state(status);
    if (state == 'Z' || state == 'X' || status.isEmpty()) {
      return;
    }
    int tracerPid = ProcessWalk.tracerPid(status);
    if (tracerPid == Kernel.tid()) {
      // An exec gave the thread another's id while we held it: start over.
      throw new KernelException("PTRACE_SEIZE", Errno.ESRCH, pid, "thread " + tid);
    }
    throw new PageliftException(
        ErrorCategory.REFUSED,
        tracerPid != 0
            ? "Process " + pid + " is traced by process " + tracerPid + " (a debugger, strace); end that first."
            : "Process " + pid + " may not be traced by this user; run as root, or look at kernel.yama.ptrace_scope.");
  }

  private record Attempt(@Nullable FrozenTree tree, String obstacle) {}
}
