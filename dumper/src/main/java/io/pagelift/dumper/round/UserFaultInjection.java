package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.PidFd;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.UserFault;
import io.pagelift.linux.inject.Cleanup;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.ptrace.Tracee;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Opens a userfaultfd in each of several processes: the one thing of a pre-dump that has to be done inside the target, and the
 * only reason to freeze it.
 *
 * <p>A freeze does no more than that. UFFDIO_API, registering, scanning and parsing come after the thaw, from here. All threads
 * of the process are stopped meanwhile, not for the call itself, but so that no other thread forks: the child would inherit the
 * descriptor.
 */
final class UserFaultInjection {
  private static final Duration FREEZE_BOUND = Duration.ofSeconds(10);
  private static final Duration WORK_BOUND = Duration.ofSeconds(60);
  private static final int REHEARSALS = 20;

  private final TracerThread tracer;

  /**
   * What a freeze brought.
   *
   * @param userFaults the descriptors by pid; a process without one could not be injected into, or had exited
   * @param failures why, by pid
   * @param processCount how many processes stood still
   * @param freezingNanos until the last thread had stopped
   * @param frozenNanos from the first interrupt to the thaw
   */
  record Brought(
      Map<Integer, FileDescriptor> userFaults,
      Map<Integer, String> failures,
      int processCount,
      long freezingNanos,
      long frozenNanos) {}

  UserFaultInjection(TracerThread tracer) {
    this.tracer = tracer;
  }

  /** Does all of it on a child that is thrown away, so that no class is loaded and little is interpreted while a target waits. */
  void rehearse() {
    int child;
    try {
      child = Spawn.posixSpawn("/bin/sleep", List.of("sleep", "60"), SpawnActions.quiet());
    } catch (KernelException noSuchProgram) {
      return;
    }
    try {
      for (int i = 0; i < REHEARSALS; i++) {
        Brought brought = open(child, Set.of(child));
        brought.userFaults().values().forEach(FileDescriptor::close);
      }
    } finally {
      Spawn.killAndReap(child, Deadline.in(FREEZE_BOUND));
    }
  }

  /**
   * Freezes the tree of {@code rootPid}, opens userfaultfds and lets it go.
   *
   * @param wanted in which of its processes
   */
  Brought open(int rootPid, Set<Integer> wanted) {
    Map<Integer, PidFd> pidFds = openPidFds(wanted);
    try {
      // One piece of work for the tracer thread: each hand-over between threads would cost the tree a wait for the scheduler.
      return tracer.call(
          "open userfaultfds in the tree of process " + rootPid, WORK_BOUND, () -> openFrozen(rootPid, pidFds));
    } finally {
      pidFds.values().forEach(PidFd::close);
    }
  }

  private Brought openFrozen(int rootPid, Map<Integer, PidFd> pidFds) {
    Map<Integer, FileDescriptor> userFaults = new HashMap<>();
    Map<Integer, String> failures = new HashMap<>();
    try (FrozenTree tree = FrozenTree.freeze(tracer, rootPid, FREEZE_BOUND)) {
      for (FrozenProcess process : tree.processes()) {
        PidFd pidFd = process.zombie() ? null : pidFds.get(process.pid());
        if (pidFd != null) {
          inject(process.leader(), pidFd, userFaults, failures);
        }
      }
      tree.thaw();
      long thawed = System.nanoTime();
      return new Brought(
          userFaults,
          failures,
          tree.processes().size(),
          tree.times().completeNanos() - tree.times().beganNanos(),
          thawed - tree.times().beganNanos());
    } catch (RuntimeException failure) {
      userFaults.values().forEach(FileDescriptor::close);
      throw failure;
    }
  }

  private static Map<Integer, PidFd> openPidFds(Set<Integer> pids) {
    Map<Integer, PidFd> pidFds = new HashMap<>();
    for (int pid : new HashSet<>(pids)) {
      try {
        pidFds.put(pid, PidFd.open(pid));
      } catch (KernelException failure) {
        if (!failure.processGone()) {
          throw new PageliftException(ErrorCategory.REFUSED, "Process " + pid + " cannot be opened: " + failure.getMessage(), failure);
        }
      }
    }
    return pidFds;
  }

  private static void inject(
      Tracee leader, PidFd pidFd, Map<Integer, FileDescriptor> userFaults, Map<Integer, String> failures) {
    try (LivingInjection injection = LivingInjection.open(leader)) {
      long opened = injection.callThen(Cleanup.closeResult(), SyscallNumbers.USERFAULTFD, UserFault.CREATE_FLAGS);
      int number = (int) Kernel.check(opened, "userfaultfd", pidFd.pid(), "");
      userFaults.put(pidFd.pid(), pidFd.fetch(number));
    } catch (KernelException failure) {
      failures.put(pidFd.pid(), failure.getMessage());
    }
  }
}
