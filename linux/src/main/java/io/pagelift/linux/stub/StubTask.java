package io.pagelift.linux.stub;

import static io.pagelift.linux.Constants.CLONE_FILES;
import static io.pagelift.linux.Constants.CLONE_FS;
import static io.pagelift.linux.Constants.CLONE_SIGHAND;
import static io.pagelift.linux.Constants.CLONE_SYSVSEM;
import static io.pagelift.linux.Constants.CLONE_THREAD;
import static io.pagelift.linux.Constants.CLONE_VM;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.StubCode;
import io.pagelift.linux.inject.Batch;
import io.pagelift.linux.inject.BatchExecutor;
import io.pagelift.linux.inject.BatchResults;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stopped thread of a process that we are building, with the stub mapped in it: it runs batches of calls and makes further
 * processes and threads. It dies with us (EXITKILL) until it is detached.
 */
public final class StubTask {
  /** What the threads of a process share, as pthread_create(3) has it. */
  private static final long THREAD_FLAGS =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

  private static final int CLONE_ARGUMENTS_BYTES = 88;
  private static final int CLONE_EXIT_SIGNAL = 32;
  private static final int CLONE_SET_TID = 64;
  private static final int CLONE_SET_TID_SIZE = 72;

  private final Tracee tracee;
  private final StubRegion region;
  private final BatchExecutor executor;

  StubTask(Tracee tracee, StubRegion region) {
    this(tracee, region, region.workAddress());
  }

  private StubTask(Tracee tracee, StubRegion region, long workAddress) {
    this.tracee = tracee;
    this.region = region;
    this.executor = region.executor(tracee, workAddress);
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

  /** The address of a system-call instruction in the stub's code. */
  public long syscallInstruction() {
    StubCode stubCode = Architecture.current().stubCode();
    return region.base() + stubCode.findSyscallInstruction(stubCode.batchExecutor());
  }

  /**
   * Makes a process with clone3(2), a copy of this one.
   *
   * @param pid the id that it gets, 0 for any; needs CAP_CHECKPOINT_RESTORE
   * @param flags {@code CLONE_} flags, such as CLONE_PARENT (a sibling) or CLONE_FILES; 0 for a plain child
   * @param exitSignal sent to its parent when it ends, SIGCHLD in general; 0 with CLONE_PARENT, which takes that of this process
   * @return the new process, attached and stopped
   * @throws KernelException EEXIST (the pid is taken), EINVAL (beyond pid_max), EPERM
   */
  public StubTask cloneProcess(int pid, long flags, int exitSignal, Deadline deadline) {
    int made = clone(pid, flags, exitSignal, deadline);
    return attached(made, made, region.workAddress(), deadline);
  }

  /**
   * Makes a thread of this process with clone3(2).
   *
   * @param tid the id that it gets, 0 for any
   * @return the new thread, attached and stopped
   * @throws KernelException as for {@link #cloneProcess}
   */
  public StubTask cloneThread(int tid, Deadline deadline) {
    return attached(tracee.pid(), clone(tid, THREAD_FLAGS, 0, deadline), region.workAddress(), deadline);
  }

  /**
   * Makes a passing thread that works beside this one: with a work area of its own, so that both can run batches at the same
   * time, and with its own copy of the descriptors. It must be ended by {@link #exit} before the process runs.
   *
   * @param workAddress writable memory of the process, as long as the region's work area
   * @return the new thread, attached and stopped
   */
  public StubTask cloneHelper(long workAddress, Deadline deadline) {
    return attached(tracee.pid(), clone(0, THREAD_FLAGS & ~CLONE_FILES, 0, deadline), workAddress, deadline);
  }

  private int clone(int id, long flags, int exitSignal, Deadline deadline) {
    Batch batch = executor.newBatch();
    ByteBuffer arguments = ByteBuffer.allocate(CLONE_ARGUMENTS_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    arguments.putLong(0, flags).putLong(CLONE_EXIT_SIGNAL, exitSignal);
    if (id != 0) {
      byte[] wanted = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(id).array();
      arguments.putLong(CLONE_SET_TID, batch.data(wanted)).putLong(CLONE_SET_TID_SIZE, 1);
    }
    batch.add(SyscallNumbers.CLONE3, batch.data(arguments.array()), CLONE_ARGUMENTS_BYTES);
    BatchResults results = executor.run(batch, deadline);
    results.check(0, id == 0 ? "a new task" : "a new task with id " + id);
    if (results.newTasks().size() != 1) {
      throw new KernelException("clone3", Errno.ESRCH, tracee.pid(), "the new task's ptrace event");
    }
    return results.newTasks().get(0);
  }

  private StubTask attached(int pid, int tid, long workAddress, Deadline deadline) {
    Tracee born = Tracee.attachedOnBirth(pid, tid);
    if (ProcessThreads.stopped(born, deadline).ended()) {
      throw new KernelException("clone3", Errno.ESRCH, pid, "task " + tid + ", killed at birth");
    }
    return new StubTask(born, region, workAddress);
  }

  /**
   * The last call: unmaps the stub's own region and leaves the thread stopped at the exit of that call. Nothing but setting
   * the final registers, signal mask and extended state and detaching can be done with it after that. Other threads of the
   * process must have their final registers already.
   *
   * <p>The final registers must hold a pending restart as already done ({@code Registers.withRestartApplied}): at this stop the
   * kernel looks for none.
   */
  public void unmapRegion(Deadline deadline) {
    long result =
        OwnedCalls.make(
            tracee, deadline, syscallInstruction(), SyscallNumbers.MUNMAP, region.base(), region.lengthBytes());
    Kernel.check(result, "munmap", tracee.pid(), "the stub's region");
  }

  /** Ends this thread, which is not the last of its process, with exit(2). */
  public void exit(Deadline deadline) {
    Batch batch = executor.newBatch();
    batch.add(SyscallNumbers.EXIT, 0);
    executor.begin(batch);
    tracee.awaitEnd(deadline);
  }

  /** Kills the process of this thread and reaps the thread. Of several threads the leader must be the last to be reaped. */
  public void kill(Deadline deadline) {
    Spawn.kill(tracee.pid(), Constants.SIGKILL);
    tracee.awaitEnd(deadline);
  }
}
