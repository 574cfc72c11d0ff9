package io.pagelift.linux.stub;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.inject.BatchExecutor;
import io.pagelift.linux.ptrace.Tracee;

/**
 * A stopped thread of a process that we are building, with the stub mapped in it: it runs batches of calls and makes further
 * processes and threads. It dies with us (EXITKILL) until it is detached.
 *
 * <p>Skeleton: the signatures are final, the implementation follows.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class StubTask {
  private final Tracee tracee;
  private final StubRegion region;
  private final BatchExecutor executor;

  StubTask(Tracee tracee, StubRegion region) {
    this.tracee = tracee;
    this.region = region;
    this.executor =
        new BatchExecutor(
            tracee,
            region.base(),
            region.tableAddress(),
            region.maxEntries(),
            region.scratchAddress(),
            region.scratchBytes());
  }

  /** The thread, stopped. */
  public Tracee tracee() {
    return tracee;
  }

  /** Where the stub is. */
  public StubRegion region() {
    return region;
  }

  /** Runs calls in this thread. Threads of one process share the work area: one batch at a time for all of them. */
  public BatchExecutor executor() {
    return executor;
  }

  /**
   * Makes a process with clone3(2), a copy of this one.
   *
   * @param pid the id that it gets, 0 for any; needs CAP_CHECKPOINT_RESTORE
   * @param flags {@code CLONE_} flags, such as CLONE_PARENT (a sibling) or CLONE_FILES; 0 for a plain child
   * @param exitSignal sent to its parent when it ends, SIGCHLD in general
   * @return the new process, attached and stopped
   * @throws io.pagelift.linux.KernelException EEXIST (the pid is taken), EINVAL (beyond pid_max), EPERM
   */
  public StubTask cloneProcess(int pid, long flags, int exitSignal, Deadline deadline) {
    throw new UnsupportedOperationException("clone " + pid + flags + exitSignal + deadline);
  }

  /**
   * Makes a thread of this process with clone3(2).
   *
   * @param tid the id that it gets, 0 for any
   * @return the new thread, attached and stopped
   * @throws io.pagelift.linux.KernelException as for {@link #cloneProcess}
   */
  public StubTask cloneThread(int tid, Deadline deadline) {
    throw new UnsupportedOperationException("clone " + tid + deadline);
  }

  /**
   * The last call: unmaps the stub's own region and leaves the thread stopped at the exit of that call. Nothing but setting
   * the final registers, signal mask and extended state and detaching can be done with it after that. Other threads of the
   * process must have their final registers already.
   */
  public void unmapRegion(Deadline deadline) {
    throw new UnsupportedOperationException("unmap " + deadline);
  }

  /** Kills the process and reaps this thread. */
  public void kill() {
    throw new UnsupportedOperationException("kill");
  }
}
