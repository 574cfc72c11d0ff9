package io.pagelift.linux.inject;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.Tracee;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** The stub that a tracer left when it died: it must not be overwritten while a thread is still walking home through it. */
final class LeftoverStub {
  private static final long WALK_NANOS = 200_000;

  private LeftoverStub() {}

  /**
   * Lets the thread finish its way home if it is in the stub, and makes sure that no other thread is.
   *
   * @throws KernelException EBUSY if another thread is in the stub, or may be because it runs
   */
  static void awaitLeft(Tracee tracee, StubPlace place, Deadline deadline) {
    while (place.contains(tracee.registers().rip())) {
      if (deadline.passed()) {
        throw busy(tracee, tracee.tid());
      }
      tracee.resume(0);
      LockSupport.parkNanos(WALK_NANOS);
      tracee.interrupt();
      if (ProcessThreads.stopped(tracee, deadline).ended()) {
        throw new KernelException("injection", Errno.ESRCH, tracee.pid(), "thread " + tracee.tid());
      }
    }
    String[] threads = new File("/proc/" + tracee.pid() + "/task").list();
    if (threads != null) {
      for (String thread : threads) {
        if (Integer.parseInt(thread) != tracee.tid() && mayBeInside(tracee.pid(), thread, place)) {
          throw busy(tracee, Integer.parseInt(thread));
        }
      }
    }
  }

  /** From {@code /proc/PID/task/TID/syscall}: its last word is the instruction pointer, unless the thread runs. */
  private static boolean mayBeInside(int pid, String thread, StubPlace place) {
    try {
      String line =
          Files.readString(Path.of("/proc/" + pid + "/task/" + thread + "/syscall"), StandardCharsets.US_ASCII).strip();
      int last = line.lastIndexOf(" 0x");
      return last < 0 || place.contains(Long.parseUnsignedLong(line.substring(last + 3), 16));
    } catch (IOException e) {
      return false; // gone meanwhile
    }
  }

  private static KernelException busy(Tracee tracee, int tid) {
    return new KernelException("injection", Errno.EBUSY, tracee.pid(), "thread " + tid + ", which is in an earlier stub");
  }
}
