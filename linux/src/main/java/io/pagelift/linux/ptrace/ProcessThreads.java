package io.pagelift.linux.ptrace;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Stops all threads of a process.
 *
 * <p>Threads may be born while others are being stopped, so the list of threads is read again after each pass; when a pass
 * finds every listed thread stopped already, no thread is left that could make another one.
 */
public final class ProcessThreads {
  private static final int MAX_PASSES = 1000;

  private ProcessThreads() {}

  /**
   * Seizes, interrupts and awaits every thread of a process until no new one appears.
   *
   * <p>A signal that was about to be delivered is passed on and the thread interrupted again, so that every stop is
   * INTERRUPTED or GROUP_STOP. Threads that end meanwhile are left out. If it fails, the threads seized so far are let go.
   *
   * @param pid the process
   * @param options a sum of {@link PtraceOptions}
   * @param deadline for all of it
   * @return the stopped threads, the thread-group leader first (a leader that has ended is not among them); empty if the
   *     process is gone
   * @throws KernelException EPERM when a thread may not be traced or is traced by somebody else; ETIMEDOUT
   */
  public static List<Tracee> seizeAll(int pid, long options, Deadline deadline) {
    Map<Integer, Tracee> held = new LinkedHashMap<>();
    try {
      for (int pass = 0; pass < MAX_PASSES; pass++) {
        if (!seizeNew(pid, options, held)) {
          return List.copyOf(held.values());
        }
        awaitStops(held, deadline);
      }
      throw new KernelException("PTRACE_SEIZE", Errno.EAGAIN, pid, "threads that are born faster than they can be stopped");
    } catch (KernelException e) {
      letGo(held, e);
      throw e;
    }
  }

  private static boolean seizeNew(int pid, long options, Map<Integer, Tracee> held) {
    boolean found = false;
    for (int tid : threads(pid)) {
      if (held.containsKey(tid)) {
        continue;
      }
      try {
        Tracee tracee = Tracee.seize(pid, tid, options);
        held.put(tid, tracee);
        found = true;
        tracee.interrupt();
      } catch (KernelException e) {
        // EPERM is also what a thread that is just exiting, or a zombie leader, gives.
        if (e.errno() != Errno.ESRCH && !(e.errno() == Errno.EPERM && ended(pid, tid))) {
          throw e;
        }
      }
    }
    return found;
  }

  private static void awaitStops(Map<Integer, Tracee> held, Deadline deadline) {
    held.values().removeIf(tracee -> stopped(tracee, deadline).ended());
  }

  /**
   * Waits until a thread that was asked to stop is INTERRUPTED, in GROUP_STOP, or ended; signals met on the way are delivered.
   *
   * @throws KernelException ETIMEDOUT
   */
  public static Stop stopped(Tracee tracee, Deadline deadline) {
    while (true) {
      Stop stop = tracee.awaitStop(deadline);
      switch (stop.kind()) {
        case INTERRUPTED, GROUP_STOP, EXITED, KILLED -> {
          return stop;
        }
        // The interrupt is still pending: it stops the thread before the handler's first instruction.
        case SIGNAL -> resume(tracee, stop.number());
        default -> resume(tracee, 0);
      }
    }
  }

  private static void resume(Tracee tracee, int signal) {
    try {
      tracee.resume(signal);
    } catch (KernelException e) {
      if (e.errno() != Errno.ESRCH) {
        throw e;
      }
      // Killed in its stop: the next poll tells.
    }
  }

  private static void letGo(Map<Integer, Tracee> held, KernelException cause) {
    for (Tracee tracee : held.values()) {
      try {
        tracee.interrupt();
        if (!stopped(tracee, Deadline.inMillis(1000)).ended()) {
          tracee.detach(0);
        }
      } catch (KernelException e) {
        cause.addSuppressed(e);
      }
    }
  }

  private static boolean ended(int pid, int tid) {
    try {
      String stat =
          java.nio.file.Files.readString(
              java.nio.file.Path.of("/proc/" + pid + "/task/" + tid + "/stat"),
              java.nio.charset.StandardCharsets.ISO_8859_1);
      char state = stat.charAt(stat.lastIndexOf(')') + 2);
      return state == 'Z' || state == 'X';
    } catch (java.io.IOException e) {
      return true;
    }
  }

  private static int[] threads(int pid) {
    String[] names = new File("/proc/" + pid + "/task").list();
    if (names == null) {
      return new int[0];
    }
    int[] threads = new int[names.length];
    for (int i = 0; i < names.length; i++) {
      threads[i] = Integer.parseInt(names[i]);
    }
    return threads;
  }
}
