package io.pagelift.linux.ptrace;

import static io.pagelift.linux.Constants.P_PID;
import static io.pagelift.linux.Constants.WALL;
import static io.pagelift.linux.Constants.WEXITED;
import static io.pagelift.linux.Constants.WNOHANG;
import static io.pagelift.linux.Constants.WNOWAIT;
import static io.pagelift.linux.Constants.WSTOPPED;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thread under ptrace(2), attached with PTRACE_SEIZE.
 *
 * <p>The kernel binds a tracee to the <em>thread</em> that attached it and answers any other with ESRCH, so every method here
 * checks the calling thread first. When that thread ends, the kernel lets its tracees go: a tracing thread must live as long
 * as its tracees are held.
 *
 * <p>Stops are waited for with waitid(2) and WNOWAIT, which leaves the stop's code in place. With wait4(2) the kernel clears
 * the code, and with it, if this program dies in that moment, the signal that the tracee was about to receive.
 *
 * <p>Every method throws {@link KernelException}; ESRCH means that the thread is gone or is not stopped.
 */
public final class Tracee {
  private static final int SMALL_BYTES = 512;
  private static final int IOVEC_OFFSET = 256;
  private static final int SIGINFO_BYTES = 128;
  private static final int MAX_XSTATE_BYTES = 64 * 1024;
  private static final int PEEK_COUNT = 32;
  private static final int MAX_QUEUED_SIGNALS = 1 << 20;
  private static final int SI_CODE = 8;
  private static final int SI_PID = 16;
  private static final int SI_STATUS = 24;
  private static final int CLD_EXITED = 1;
  private static final int CLD_KILLED = 2;
  private static final int CLD_DUMPED = 3;

  private final int pid;
  private final int tid;
  private long options;
  private final Thread owner = Thread.currentThread();
  private final ByteBuffer small =
      ByteBuffer.allocateDirect(SMALL_BYTES).order(ByteOrder.nativeOrder());
  private final long smallAddress = Kernel.address(small);
  private @Nullable ByteBuffer large;
  private @Nullable Stop stop;
  private @Nullable Runnable faultPoint;

  private Tracee(int pid, int tid) {
    this.pid = pid;
    this.tid = tid;
  }

  /**
   * Attaches to a thread without stopping it.
   *
   * @param pid the process, for messages
   * @param tid the thread
   * @param options a sum of {@link PtraceOptions}
   * @throws KernelException EPERM (not permitted, or somebody else traces it), ESRCH (gone)
   */
  public static Tracee seize(int pid, int tid, long options) {
    Tracee tracee = new Tracee(pid, tid);
    tracee.request(PtraceRequests.SEIZE, "PTRACE_SEIZE", 0, options);
    tracee.options = options;
    return tracee;
  }

  /**
   * A thread that the kernel attached to the calling thread by itself, because a tracee with TRACECLONE, TRACEFORK or
   * TRACEVFORK made it. It has an INTERRUPTED stop to be awaited.
   */
  public static Tracee attachedOnBirth(int pid, int tid) {
    return new Tracee(pid, tid);
  }

  /** For tests: something to run after each successful request, such as the sudden end of the tracing thread. */
  void afterEachRequest(Runnable point) {
    faultPoint = point;
  }

  /** The options that it was seized with or that were set since; 0 for one attached on birth, which has those of its maker. */
  public long options() {
    return options;
  }

  /**
   * Changes the options.
   *
   * @param options a sum of {@link PtraceOptions}
   * @throws KernelException EPERM for SUSPEND_SECCOMP without CAP_SYS_ADMIN
   */
  public void setOptions(long options) {
    request(PtraceRequests.SETOPTIONS, "PTRACE_SETOPTIONS", 0, options);
    this.options = options;
  }

  /** The process that the thread belongs to. */
  public int pid() {
    return pid;
  }

  /** The thread. */
  public int tid() {
    return tid;
  }

  /** The stop that the thread is in as far as this object knows; null while it runs. */
  public @Nullable Stop stop() {
    return stop;
  }

  /** Asks for a stop (INTERRUPTED, or GROUP_STOP if the process is stopped); await it. */
  public void interrupt() {
    request(PtraceRequests.INTERRUPT, "PTRACE_INTERRUPT", 0, 0);
  }

  /**
   * Waits for the next stop, or the end, of the thread.
   *
   * @throws KernelException ETIMEDOUT when the deadline passes, ECHILD when the thread is no tracee of this process
   */
  public Stop awaitStop(Deadline deadline) {
    if (!deadline.await(() -> pollStop() != null)) {
      throw new KernelException("waitid", Errno.ETIMEDOUT, pid, "a stop of thread " + tid);
    }
    Stop found = stop;
    if (found == null) {
      throw new IllegalStateException("thread " + tid + " of process " + pid + " was resumed while awaited");
    }
    return found;
  }

  /** The stop that the thread is in now, or null if it runs; never waits. */
  public @Nullable Stop pollStop() {
    checkOwner();
    if (stop != null) {
      return stop;
    }
    small.putInt(SI_PID, 0);
    Kernel.check(
        Kernel.call(
            SyscallNumbers.WAITID,
            P_PID,
            tid,
            smallAddress,
            WEXITED | WSTOPPED | WNOHANG | WNOWAIT | WALL,
            0),
        "waitid",
        pid,
        thread());
    if (small.getInt(SI_PID) == 0) {
      return null;
    }
    int code = small.getInt(SI_CODE);
    int status = small.getInt(SI_STATUS);
    if (code == CLD_EXITED) {
      stop = new Stop(Stop.Kind.EXITED, status);
    } else if (code == CLD_KILLED || code == CLD_DUMPED) {
      stop = new Stop(Stop.Kind.KILLED, status);
    } else {
      stop = Stop.ofCode(status);
    }
    if (stop.ended()) {
      reap();
    }
    return stop;
  }

  /**
   * Waits for the end of a thread that was killed, whatever stop it was in, and reaps it. A thread-group leader is reaped only
   * after all other traced threads of its process.
   *
   * @throws KernelException ETIMEDOUT when the deadline passes
   */
  public void awaitEnd(Deadline deadline) {
    boolean ended =
        deadline.await(
            () -> {
              if (stop != null && stop.ended()) {
                return true;
              }
              stop = null;
              Stop found = pollStop();
              return found != null && found.ended();
            });
    if (!ended) {
      throw new KernelException("waitid", Errno.ETIMEDOUT, pid, "the end of thread " + tid);
    }
  }

  private void reap() {
    Kernel.check(
        Kernel.call(SyscallNumbers.WAIT4, tid, 0, WALL | WNOHANG, 0), "wait4", pid, thread());
  }

  /** The general registers. */
  public Registers registers() {
    long length = regset(PtraceRequests.GETREGSET, "PTRACE_GETREGSET", PtraceRequests.NT_PRSTATUS, smallAddress,
        Registers.LENGTH_BYTES);
    if (length != Registers.LENGTH_BYTES) {
      throw new KernelException("PTRACE_GETREGSET", Errno.EOPNOTSUPP, pid, "32-bit " + thread());
    }
    byte[] content = new byte[Registers.LENGTH_BYTES];
    small.get(0, content);
    return Registers.of(content);
  }

  /** Sets the general registers. */
  public void setRegisters(Registers registers) {
    small.put(0, registers.content());
    regset(PtraceRequests.SETREGSET, "PTRACE_SETREGSET", PtraceRequests.NT_PRSTATUS, smallAddress,
        Registers.LENGTH_BYTES);
  }

  /** The extended state: NT_X86_XSTATE, the XSAVE area in its standard form, as long as this processor has it. */
  public byte[] extendedState() {
    ByteBuffer area = large();
    long length =
        regset(PtraceRequests.GETREGSET, "PTRACE_GETREGSET", PtraceRequests.NT_X86_XSTATE, Kernel.address(area),
            MAX_XSTATE_BYTES);
    byte[] state = new byte[(int) length];
    area.get(0, state);
    return state;
  }

  /**
   * Sets the extended state.
   *
   * @param state as {@link #extendedState()} gives it; the kernel answers EFAULT or EINVAL to another length than its own
   */
  public void setExtendedState(byte[] state) {
    if (state.length > MAX_XSTATE_BYTES) {
      throw new IllegalArgumentException("extended state of " + state.length + " bytes");
    }
    ByteBuffer area = large();
    area.put(0, state);
    regset(PtraceRequests.SETREGSET, "PTRACE_SETREGSET", PtraceRequests.NT_X86_XSTATE, Kernel.address(area),
        state.length);
  }

  private long regset(int request, String name, int type, long address, long lengthBytes) {
    small.putLong(IOVEC_OFFSET, address);
    small.putLong(IOVEC_OFFSET + Long.BYTES, lengthBytes);
    request(request, name, type, smallAddress + IOVEC_OFFSET);
    return small.getLong(IOVEC_OFFSET + Long.BYTES);
  }

  /** The blocked signals: bit n-1 for signal n. In ppoll(2) and its like this is the mask that the call will put back. */
  public long signalMask() {
    request(PtraceRequests.GETSIGMASK, "PTRACE_GETSIGMASK", Long.BYTES, smallAddress);
    return small.getLong(0);
  }

  /** Sets the blocked signals; SIGKILL and SIGSTOP stay unblocked. */
  public void setSignalMask(long mask) {
    small.putLong(0, mask);
    request(PtraceRequests.SETSIGMASK, "PTRACE_SETSIGMASK", Long.BYTES, smallAddress);
  }

  /**
   * The queued signals, oldest first, each a {@code siginfo_t} of 128 bytes; they stay queued.
   *
   * @param shared whether those sent to the process, or those sent to this thread
   */
  public List<byte[]> pendingSignals(boolean shared) {
    List<byte[]> signals = new ArrayList<>();
    ByteBuffer area = large();
    int count = PEEK_COUNT;
    while (count == PEEK_COUNT && signals.size() < MAX_QUEUED_SIGNALS) {
      small.putLong(IOVEC_OFFSET, signals.size());
      small.putInt(IOVEC_OFFSET + Long.BYTES, shared ? PtraceRequests.PEEKSIGINFO_SHARED : 0);
      small.putInt(IOVEC_OFFSET + Long.BYTES + Integer.BYTES, PEEK_COUNT);
      count =
          (int)
              request(
                  PtraceRequests.PEEKSIGINFO,
                  "PTRACE_PEEKSIGINFO",
                  smallAddress + IOVEC_OFFSET,
                  Kernel.address(area));
      for (int i = 0; i < count; i++) {
        byte[] information = new byte[SIGINFO_BYTES];
        area.get(i * SIGINFO_BYTES, information);
        signals.add(information);
      }
    }
    return signals;
  }

  /** The registered rseq area. EIO on kernels before 5.13. */
  public RseqConfiguration rseq() {
    small.putLong(0, 0).putLong(Long.BYTES, 0).putLong(2 * Long.BYTES, 0);
    request(
        PtraceRequests.GET_RSEQ_CONFIGURATION, "PTRACE_GET_RSEQ_CONFIGURATION", 3 * Long.BYTES, smallAddress);
    return new RseqConfiguration(small.getLong(0), small.getInt(8), small.getInt(12), small.getInt(16));
  }

  /** The message of an EVENT stop, such as the id of the new task. */
  public long eventMessage() {
    request(PtraceRequests.GETEVENTMSG, "PTRACE_GETEVENTMSG", 0, smallAddress);
    return small.getLong(0);
  }

  /** The {@code siginfo_t} (128 bytes) of the signal that the tracee stopped for. EINVAL in a group stop. */
  public byte[] signalInformation() {
    request(PtraceRequests.GETSIGINFO, "PTRACE_GETSIGINFO", 0, smallAddress);
    byte[] information = new byte[SIGINFO_BYTES];
    small.get(0, information);
    return information;
  }

  /**
   * Lets the thread run.
   *
   * @param signal the signal to deliver from a SIGNAL stop, or 0
   */
  public void resume(int signal) {
    run(PtraceRequests.CONT, "PTRACE_CONT", signal);
  }

  /**
   * Lets the thread run to its next entry to, or exit from, a system call.
   *
   * @param signal as for {@link #resume}
   */
  public void syscallResume(int signal) {
    run(PtraceRequests.SYSCALL, "PTRACE_SYSCALL", signal);
  }

  /**
   * Runs one instruction, followed by a SIGNAL stop with SIGTRAP.
   *
   * @param signal as for {@link #resume}
   */
  public void singleStep(int signal) {
    run(PtraceRequests.SINGLESTEP, "PTRACE_SINGLESTEP", signal);
  }

  /** Leaves a thread in its GROUP_STOP, stopped as without a tracer; the next stop (SIGCONT, interrupt) can be awaited. */
  public void listen() {
    run(PtraceRequests.LISTEN, "PTRACE_LISTEN", 0);
  }

  /**
   * Lets the thread go.
   *
   * @param signal as for {@link #resume}
   */
  public void detach(int signal) {
    run(PtraceRequests.DETACH, "PTRACE_DETACH", signal);
  }

  private void run(int request, String name, int signal) {
    request(request, name, 0, signal);
    stop = null;
  }

  private ByteBuffer large() {
    if (large == null) {
      large = ByteBuffer.allocateDirect(MAX_XSTATE_BYTES).order(ByteOrder.nativeOrder());
    }
    return large;
  }

  private long request(int request, String name, long address, long data) {
    checkOwner();
    long result = Kernel.call(SyscallNumbers.PTRACE, request, tid, address, data);
    Kernel.check(result, name, pid, thread());
    if (faultPoint != null) {
      faultPoint.run();
    }
    return result;
  }

  private String thread() {
    return "thread " + tid;
  }

  private void checkOwner() {
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          "thread " + tid + " of process " + pid + " is traced by '" + owner.getName() + "' and was asked for by '"
              + Thread.currentThread().getName() + "'; ptrace answers only the thread that attached");
    }
  }

  @Override
  public String toString() {
    return "Tracee[pid=" + pid + ", tid=" + tid + ", stop=" + stop + "]";
  }
}
