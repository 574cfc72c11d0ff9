package io.pagelift.dumper.freeze;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A freeze that outlives the one who froze.
 *
 * <p>The kernel lets tracees go when their tracer dies. A SIGSTOP that is queued to a thread in a ptrace stop stays queued; when the tracer
 * is gone the thread takes it before its next instruction, and the process is stopped. In the normal course the thread is resumed with the
 * SIGSTOP still before it, reports it to the tracer, and is let go without it: the program never learns of it (ptrace(2),
 * "Signal-delivery-stop").
 *
 * <p>Each thread gets one of its own: with a single one for the process the other threads would run until it takes effect. A SIGSTOP
 * discards a SIGCONT that is pending (signal(7)); such a one is sent again afterwards. Processes that were stopped before need nothing.
 */
final class StickyStop {
  private static final Duration STOP_BOUND = Duration.ofSeconds(10);

  private final List<Tracee> threads = new ArrayList<>();
  private final List<Integer> continuedProcesses = new ArrayList<>();
  private final List<Tracee> continuedThreads = new ArrayList<>();

  /** Queues the signals. For the tracer thread. */
  void queue(List<FrozenProcess> processes) {
    for (FrozenProcess process : processes) {
      if (!process.zombie() && process.stopSignal() == 0) {
        add(process);
      }
    }
  }

  private void add(FrozenProcess process) {
    if (continuePending(process.leader().pendingSignals(true))) {
      continuedProcesses.add(process.pid());
    }
    for (Tracee tracee : process.threads()) {
      if (continuePending(tracee.pendingSignals(false))) {
        continuedThreads.add(tracee);
      }
    }
    for (Tracee tracee : process.threads()) {
      Spawn.killThread(process.pid(), tracee.tid(), Constants.SIGSTOP);
      threads.add(tracee);
    }
  }

  /** Lets every thread go without its SIGSTOP, also those behind one that fails. What is held besides is the caller's. For the tracer thread. */
  void undo() {
    @Nullable KernelException first = null;
    for (Tracee tracee : threads) {
      try {
        letGo(tracee);
      } catch (KernelException e) {
        first = first == null ? e : first;
      }
    }
    continuedProcesses.forEach(pid -> Spawn.kill(pid, Constants.SIGCONT));
    continuedThreads.forEach(tracee -> Spawn.killThread(tracee.pid(), tracee.tid(), Constants.SIGCONT));
    if (first != null) {
      throw first;
    }
  }

  private static void letGo(Tracee tracee) {
    try {
      Stop stop = tracee.stop();
      int deliver = stop != null && stop.kind() == Stop.Kind.SIGNAL ? stop.number() : 0;
      while (true) {
        tracee.resume(deliver);
        Stop next = tracee.awaitStop(Deadline.in(STOP_BOUND));
        if (next.ended()) {
          return;
        }
        if (next.kind() == Stop.Kind.SIGNAL && next.number() == Constants.SIGSTOP) {
          tracee.detach(0);
          return;
        }
        // Another signal that came meanwhile, with a lower number: it is the program's.
        deliver = next.kind() == Stop.Kind.SIGNAL ? next.number() : 0;
      }
    } catch (KernelException e) {
      if (e.errno() != Errno.ESRCH && e.errno() != Errno.ECHILD) {
        throw e;
      }
    }
  }

  private static boolean continuePending(List<byte[]> pending) {
    return pending.stream()
        .anyMatch(info -> ByteBuffer.wrap(info).order(ByteOrder.nativeOrder()).getInt(0) == Constants.SIGCONT);
  }
}
