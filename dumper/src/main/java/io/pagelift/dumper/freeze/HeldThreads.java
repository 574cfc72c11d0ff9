package io.pagelift.dumper.freeze;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The threads that are attached, by tid, in the order in which they were found. For the tracer thread only. */
final class HeldThreads {
  private final Map<Integer, Tracee> byTid = new LinkedHashMap<>();
  private @Nullable StickyStop sticky;

  boolean has(int tid) {
    return byTid.containsKey(tid);
  }

  void add(Tracee tracee) {
    byTid.put(tracee.tid(), tracee);
  }

  void remove(Tracee tracee) {
    byTid.remove(tracee.tid());
  }

  Collection<Tracee> all() {
    return byTid.values();
  }

  /** From now on the threads stay stopped when their tracer dies, see {@link StickyStop}. */
  void hold(List<FrozenProcess> processes) {
    StickyStop queued = new StickyStop();
    // Known before the first signal is queued: what is queued must be taken back, also when the rest fails.
    sticky = queued;
    queued.queue(processes);
  }

  /** The held threads of a process, its leader first if it is held. */
  List<Tracee> of(int pid) {
    List<Tracee> threads = new ArrayList<>();
    for (Tracee tracee : byTid.values()) {
      if (tracee.pid() == pid) {
        threads.add(tracee.tid() == pid ? 0 : threads.size(), tracee);
      }
    }
    return threads;
  }

  /**
   * Lets every thread go. One that has not stopped yet (it is in an uninterruptible call) cannot be let go now: the tracer
   * thread does it as soon as it stops.
   */
  void letGo(TracerThread tracer) {
    StickyStop held = sticky;
    sticky = null;
    if (held != null) {
      held.undo();
    }
    for (Tracee tracee : byTid.values()) {
      if (!letGo(tracee)) {
        tracer.letGoLater(tracee);
      }
    }
    byTid.clear();
  }

  /** Whether the thread is free, or gone; {@code false} when it has not stopped yet. */
  static boolean letGo(Tracee tracee) {
    try {
      Stop stop = tracee.pollStop();
      if (stop == null) {
        return false;
      }
      if (!stop.ended()) {
        // A signal that is just being delivered must not get lost.
        tracee.detach(stop.kind() == Stop.Kind.SIGNAL ? stop.number() : 0);
      }
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.ESRCH || e.errno() == Errno.ECHILD) {
        return true;
      }
      throw e;
    }
  }

  /** Sends SIGKILL to all and waits for the end of each thread, leaders last: a leader ends after all others. */
  void kill(List<FrozenProcess> processes, Deadline deadline) {
    for (FrozenProcess process : processes) {
      if (!process.zombie()) {
        Spawn.kill(process.pid(), Constants.SIGKILL);
      }
    }
    List<Tracee> order = new ArrayList<>(byTid.values());
    order.sort((left, right) -> Boolean.compare(left.pid() == left.tid(), right.pid() == right.tid()));
    byTid.clear();
    for (Tracee tracee : order) {
      deadline.await(() -> ended(tracee));
    }
  }

  // Bare wait4(2): the tracee object remembers the stop in which the thread was killed.
  private static boolean ended(Tracee tracee) {
    long result = Kernel.call(SyscallNumbers.WAIT4, tracee.tid(), 0, Constants.WNOHANG | Constants.WALL, 0);
    return result == tracee.tid() || result == -Errno.ECHILD;
  }

  /** The group stop that a thread is in, as its signal; 0 if none. */
  static int groupStopSignal(@Nullable Stop stop) {
    return stop != null && stop.kind() == Stop.Kind.GROUP_STOP ? stop.number() : 0;
  }
}
