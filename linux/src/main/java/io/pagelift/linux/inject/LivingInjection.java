package io.pagelift.linux.inject;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_NORESERVE;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.arch.Architecture;
import io.pagelift.linux.arch.CallSequence;
import io.pagelift.linux.arch.StubCode;
import io.pagelift.linux.ptrace.ProcessThreads;
import io.pagelift.linux.ptrace.PtraceOptions;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.RseqCriticalSection;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * System calls made by a stopped thread of a process that must survive our death at any moment.
 *
 * <p>When a tracer dies, the kernel lets its tracees run on from wherever their registers stand. So the thread is never anywhere
 * from where it could not go home alone. It executes code in the unused tail of its own vdso ({@link StubPlace}):
 *
 * <pre>
 * +------------------------------------------------+----------------------+----------------------+
 * | walk home: rt_sigprocmask(the thread's mask),  | slot 0: the call,    | slot 1               |
 * | load all general registers, jump to where the  | armed cleanups,      |                      |
 * | thread was                                     | jump to walk home    |                      |
 * +------------------------------------------------+----------------------+----------------------+
 * </pre>
 *
 * A call is written, complete with the cleanups that are armed at that time, into the slot in which the thread is <em>not</em>.
 * Then one PTRACE_SETREGSET moves the thread there: before it, our death means the rest of the old slot; after it, all of the new
 * one. The thread is stopped by a system-call stop at the exit of the call, and stays there, inside the slot, until the next
 * call. A breakpoint would stop it too, but would kill it if nobody is there to see the SIGTRAP.
 *
 * <p>Three orders matter. On the way in the registers are set before all signals are blocked, on the way out the old mask is set
 * before the old registers: a thread outside the stub never has the wrong mask. A cleanup is part of the slot before its call is
 * made. The stub's bytes are zeroed only when the thread is out.
 *
 * <p>The code uses neither stack nor flags: what lies below the stack pointer may belong to somebody else (Go's stacks), and a
 * signal may arrive at any instruction after the mask is back. No vector state is touched.
 *
 * <p>A system call that the stop interrupted: the way home after our death does the restart itself ({@link
 * Registers#withRestartApplied}); {@link #close} leaves it to the kernel, which knows better if a signal came meanwhile.
 */
public final class LivingInjection implements AutoCloseable {
  private static final long ALL_SIGNALS = ~0L;
  private static final long CALL_MILLIS = 10_000;
  private static final long WALK_MILLIS = 2_000;
  private static final int LEAST_SLOT_BYTES = 256;
  private static final int ALIGNMENT = 16;
  private static final int MAX_RESTARTS = 100;
  private static final long LOWEST_RESTART = -516;
  private static final long HIGHEST_RESTART = -512;
  private static final int OUTSIDE = -1;
  private static final int TABLE_SHARE = 2;

  /** Below that, a call at a time is not slower. */
  private static final int LEAST_TABLE = 3;

  private final StubCode stubCode = Architecture.current().stubCode();
  private final Deque<CallSequence.Call> armed = new ArrayDeque<>();
  private final Tracee tracee;
  private final StubPlace place;
  private final RemoteMemory.MemFile memory;
  private final Registers original;
  private final Registers inside;
  private final long originalMask;
  private final long originalOptions;
  private final int harmlessSignal;
  private final int slotBytes;
  private int slot = OUTSIDE;
  private boolean written;
  private @Nullable WorkArea area;
  private CallSequence.@Nullable Call unmapArea;

  private LivingInjection(Tracee tracee, StubPlace place, RemoteMemory.MemFile memory) {
    this.tracee = tracee;
    this.place = place;
    this.memory = memory;
    this.original = RseqCriticalSection.left(tracee, tracee.registers());
    this.inside = original.withRestartApplied();
    this.originalMask = tracee.signalMask();
    this.originalOptions = tracee.options();
    ProcStatus status = ProcStatus.read(tracee.pid(), tracee.tid());
    this.harmlessSignal = HarmlessSignal.of(status, originalMask);
    this.slotBytes = ((place.lengthBytes() - stubCode.walkHomeMaxBytes()) / 2) & -ALIGNMENT;
    if (!original.is64Bit()) {
      throw new KernelException("injection", Errno.EOPNOTSUPP, tracee.pid(), "32-bit thread " + tracee.tid());
    }
    if (status.seccompMode() != 0) {
      suspendSeccomp();
    }
  }

  /** A filter may kill the target for a call that it never makes itself, such as userfaultfd(2). */
  private void suspendSeccomp() {
    try {
      tracee.setOptions(originalOptions | PtraceOptions.SUSPEND_SECCOMP);
    } catch (KernelException e) {
      throw new KernelException(
          "injection", Errno.EOPNOTSUPP, tracee.pid(), "thread " + tracee.tid() + ", whose seccomp filters can't be suspended");
    }
  }

  /**
   * Prepares a thread for injected calls.
   *
   * @param tracee a thread in an INTERRUPTED or GROUP_STOP stop, seized with {@code PtraceOptions.LIVING}; all other threads of
   *     the process are stopped too
   * @throws KernelException EOPNOTSUPP if the target has no room for the stub (no vdso, 32-bit) or has seccomp filters that this
   *     user can't suspend, EBUSY if another thread of it still executes the stub of a tracer that died
   */
  public static LivingInjection open(Tracee tracee) {
    int leastBytes = Architecture.current().stubCode().walkHomeMaxBytes() + 2 * LEAST_SLOT_BYTES;
    StubPlace place = StubPlace.find(tracee.pid(), leastBytes);
    if (!place.clean()) {
      LeftoverStub.awaitLeft(tracee, place, Deadline.inMillis(WALK_MILLIS));
    }
    RemoteMemory.MemFile memory = RemoteMemory.openMem(tracee.pid());
    try {
      return new LivingInjection(tracee, place, memory);
    } catch (KernelException e) {
      memory.close();
      throw e;
    }
  }

  /**
   * Makes a call in the target. Cleanups of earlier calls that are armed stay armed.
   *
   * @return the result, or a negative error number; {@code Kernel.check} turns the latter into an exception
   * @throws KernelException ESRCH if the thread is killed, ETIMEDOUT if the call does not return
   */
  public long call(long number, long... arguments) {
    return make(List.of(CallSequence.Call.of(number, arguments)));
  }

  /**
   * Makes a call whose effect must not outlast us: the cleanup is armed before the call is made. It runs when {@link #runCleanup}
   * or {@link #close} is called, or, if this program dies, by the target itself.
   *
   * @return the result, or a negative error number (then there is nothing to clean up, and nothing stays armed)
   * @throws KernelException as for {@link #call}
   */
  public long callThen(Cleanup cleanup, long number, long... arguments) {
    long result = make(List.of(CallSequence.Call.of(number, arguments), cleanup.call()));
    if (!Kernel.failed(result)) {
      armed.push(cleanup.call().resolved(result));
    }
    return result;
  }

  /**
   * Runs the cleanup that was armed last; the work area stays.
   *
   * @return what its call returned
   */
  public long runCleanup() {
    return make(List.of(armed.pop()));
  }

  /** How many cleanups are armed, that of the work area not among them. */
  public int armedCleanups() {
    return armed.size();
  }

  /**
   * Maps a work area in the target, at most one at a time; it goes at {@link #close}, or by the target itself.
   *
   * @param lengthBytes rounded up to whole pages
   * @throws KernelException ENOMEM
   */
  public WorkArea workArea(long lengthBytes) {
    if (area != null) {
      throw new IllegalStateException("the injection has a work area already");
    }
    long pages = (lengthBytes + Kernel.PAGE_BYTES - 1) & -Kernel.PAGE_BYTES;
    CallSequence.Call map =
        CallSequence.Call.of(
            SyscallNumbers.MMAP, 0, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CallSequence.Call unmap = Cleanup.unmapResult(pages).call();
    long address = make(List.of(map, unmap));
    Kernel.check(address, "mmap", tracee.pid(), "a work area of " + pages + " bytes");
    WorkArea made = new WorkArea(address, pages);
    area = made;
    unmapArea = unmap.resolved(address);
    return made;
  }

  /**
   * Writes into the work area.
   *
   * @param offsetBytes where in it
   */
  public void write(long offsetBytes, byte[] content) {
    RemoteMemory.write(tracee.pid(), areaAddress(offsetBytes, content.length), content);
  }

  /**
   * Reads from the work area.
   *
   * @param offsetBytes where in it
   */
  public byte[] read(long offsetBytes, int lengthBytes) {
    return RemoteMemory.read(tracee.pid(), areaAddress(offsetBytes, lengthBytes), lengthBytes);
  }

  /** Reads from the target, such as data of a batch by their address. */
  public byte[] readAt(long address, int lengthBytes) {
    return RemoteMemory.read(tracee.pid(), address, lengthBytes);
  }

  private long areaAddress(long offsetBytes, int lengthBytes) {
    WorkArea present = presentArea();
    if (offsetBytes < 0 || lengthBytes > present.lengthBytes() - offsetBytes) {
      throw new IndexOutOfBoundsException("work area of " + present.lengthBytes() + " bytes, offset " + offsetBytes);
    }
    return present.address() + offsetBytes;
  }

  private WorkArea presentArea() {
    WorkArea present = area;
    if (present == null) {
      throw new IllegalStateException("the injection has no work area");
    }
    return present;
  }

  /** An empty batch for {@link #runBatch}; its table takes one half of the work area, its data the other. */
  public Batch newBatch() {
    WorkArea present = presentArea();
    int half = (int) Math.min(present.lengthBytes(), 1 << 30) / TABLE_SHARE;
    return new Batch(half / Batch.ENTRY_BYTES, present.address() + half, half);
  }

  /**
   * Makes many calls at the least cost for each; they run in order whatever the results of the earlier ones. None may leave
   * anything behind in the target, and none may be forwarded to another.
   *
   * @param batch from {@link #newBatch()}
   */
  public BatchResults runBatch(Batch batch) {
    WorkArea present = presentArea();
    RemoteMemory.write(tracee.pid(), present.address() + present.lengthBytes() / TABLE_SHARE, batch.scratchContent());
    int signal = batch.size() < LEAST_TABLE ? 0 : harmlessSignal;
    if (signal != 0) {
      return runTable(batch, present.address(), signal);
    }
    long[] results = new long[batch.size()];
    for (int i = 0; i < results.length; i++) {
      results[i] = call(batch.number(i), batch.arguments(i));
    }
    return new BatchResults(tracee.pid(), batch, results, List.of());
  }

  /**
   * All calls in one resume: system-call stops would cost four switches a call. What stops the thread behind the last call is a
   * signal that it sends itself; a traced thread stops for it, and if we are dead, nothing happens.
   */
  private BatchResults runTable(Batch batch, long tableAddress, int signal) {
    RemoteMemory.write(tracee.pid(), tableAddress, batch.tableBytes());
    int target = slot == 0 ? 1 : 0;
    CallSequence code =
        stubCode.tableSequence(
            slotAddress(target), tableAddress, batch.size(), signal, withArmed(List.of()), homeEntry());
    write(target, code);
    enter(target);
    tracee.setSignalMask(ALL_SIGNALS & ~(1L << (signal - 1)));
    toSignalStop(signal, code.firstReturn());
    tracee.setSignalMask(ALL_SIGNALS);
    byte[] table = RemoteMemory.read(tracee.pid(), tableAddress, batch.size() * Batch.ENTRY_BYTES);
    return BatchResults.ofTable(tracee.pid(), batch, table, List.of());
  }

  private List<CallSequence.Call> withArmed(List<CallSequence.Call> calls) {
    List<CallSequence.Call> sequence = new ArrayList<>(calls);
    sequence.addAll(armed);
    if (unmapArea != null) {
      sequence.add(unmapArea);
    }
    return sequence;
  }

  private long make(List<CallSequence.Call> calls) {
    int target = slot == 0 ? 1 : 0;
    CallSequence code = stubCode.callSequence(slotAddress(target), withArmed(calls), homeEntry());
    write(target, code);
    for (int attempt = 0; attempt < MAX_RESTARTS; attempt++) {
      enter(target);
      toSyscallStop();
      toSyscallStop();
      Registers registers = tracee.registers();
      if (registers.rip() != code.firstReturn()) {
        throw new IllegalStateException("thread " + tracee.tid() + " of process " + tracee.pid() + " left the stub");
      }
      long result = registers.result();
      if (result < LOWEST_RESTART || result > HIGHEST_RESTART) {
        return result;
      }
      // Interrupted before it did anything: the codes that no program ever sees.
    }
    throw new KernelException("injection", Errno.EINTR, tracee.pid(), "thread " + tracee.tid());
  }

  private void write(int target, CallSequence code) {
    if (code.lengthBytes() > slotBytes) {
      throw new KernelException("injection", Errno.ENOSPC, tracee.pid(), "a stub with " + armed.size() + " cleanups");
    }
    if (!written) {
      written = true;
      memory.write(place.start(), stubCode.walkHome(place.start(), inside.bytes(), originalMask));
    }
    memory.write(slotAddress(target), code.code());
  }

  private void enter(int target) {
    boolean first = slot == OUTSIDE;
    slot = target;
    tracee.setRegisters(inside.copy().setRip(slotAddress(target)));
    if (first) {
      tracee.setSignalMask(ALL_SIGNALS);
    }
  }

  private long homeEntry() {
    return place.start() + stubCode.walkHomeEntryOffset();
  }

  private long slotAddress(int index) {
    return place.start() + stubCode.walkHomeMaxBytes() + (long) index * slotBytes;
  }

  /** Runs to the next entry to, or exit from, a system call. */
  private void toSyscallStop() {
    Deadline deadline = Deadline.inMillis(CALL_MILLIS);
    int signal = 0;
    while (true) {
      tracee.syscallResume(signal);
      Stop stop = awaitStop(deadline);
      if (stop.kind() == Stop.Kind.SYSCALL) {
        return;
      }
      // All signals are blocked but SIGSTOP: delivered here, it stops the process as soon as it is let go. The rest are group
      // stops and interrupts that were asked for earlier: the thread is where it was.
      signal = stop.kind() == Stop.Kind.SIGNAL ? stop.number() : 0;
    }
  }

  /** Runs to the stop for a signal that the thread sends itself. */
  private void toSignalStop(int own, long place) {
    Deadline deadline = Deadline.inMillis(CALL_MILLIS);
    int signal = 0;
    while (true) {
      tracee.resume(signal);
      Stop stop = awaitStop(deadline);
      boolean isOwn = stop.kind() == Stop.Kind.SIGNAL && stop.number() == own;
      if (isOwn && tracee.registers().rip() == place) {
        return;
      }
      // Somebody else's signal of that number comes early: the target would have ignored it.
      signal = stop.kind() == Stop.Kind.SIGNAL && !isOwn ? stop.number() : 0;
    }
  }

  private Stop awaitStop(Deadline deadline) {
    Stop stop = tracee.awaitStop(deadline);
    if (stop.ended()) {
      throw new KernelException("injection", Errno.ESRCH, tracee.pid(), "thread " + tracee.tid());
    }
    return stop;
  }

  /**
   * Runs the armed cleanups, unmaps the work area and puts the thread back into the very stop that it was in: signal mask,
   * registers and a pending restart of its interrupted call, and zeros where the stub was. The caller then detaches.
   *
   * <p>A target that was killed meanwhile needs none of that and is no error here.
   */
  @Override
  public void close() {
    try {
      while (!armed.isEmpty()) {
        runCleanup();
      }
      CallSequence.Call unmap = unmapArea;
      if (unmap != null) {
        unmapArea = null;
        area = null;
        make(List.of(unmap));
      }
      if (tracee.options() != originalOptions) {
        tracee.setOptions(originalOptions);
      }
      if (slot != OUTSIDE) {
        tracee.setSignalMask(originalMask);
        tracee.setRegisters(original);
        slot = OUTSIDE;
        stopAgain();
      }
      if (written) {
        memory.write(place.start(), new byte[place.lengthBytes()]);
      }
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    } finally {
      memory.close();
    }
  }

  /**
   * From the exit of our last call to an ordinary stop on the way to user space, where the kernel does the restart of an
   * interrupted call when the thread is let go.
   */
  private void stopAgain() {
    tracee.interrupt();
    tracee.resume(0);
    ProcessThreads.stopped(tracee, Deadline.inMillis(CALL_MILLIS));
  }
}
