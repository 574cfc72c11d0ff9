package io.pagelift.dumper.thread;

import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.RobustList;
import io.pagelift.linux.SchedAttributes;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.RseqConfiguration;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was read of one thread in the freeze, after all injected calls: an injection may have moved the thread out of a
 * restartable sequence, and these registers must be the ones that go with the memory.
 */
public final class ThreadReading {
  private final int tid;
  private final InjectedThread injected;
  private final Registers registers;
  private final byte[] extendedState;
  private final long signalMask;
  private final List<byte[]> pending;
  private final RseqConfiguration rseq;
  private final RobustList robustList;
  private final SchedAttributes scheduling;
  private final byte[] affinity;
  private final int ioPriority;
  private final ProcStatus status;
  private final byte[] rawComm;
  private final String timerSlack;
  private final @Nullable InterruptedSleep interruptedSleep;

  private ThreadReading(RawReader reader, Tracee tracee, ProcStatus status, InjectedThread injected) {
    this.tid = tracee.tid();
    this.injected = injected;
    this.status = status;
    this.registers = tracee.registers();
    this.extendedState = tracee.extendedState();
    this.signalMask = tracee.signalMask();
    this.pending = tracee.pendingSignals(false);
    this.rseq = tracee.rseq();
    this.robustList = RobustList.of(tid);
    this.scheduling = SchedAttributes.get(tid);
    this.affinity = SchedAttributes.affinity(tid);
    this.ioPriority = SchedAttributes.ioPriority(tid);
    String task = "/proc/" + tracee.pid() + "/task/" + tid;
    this.rawComm = present(reader.file(task + "/comm"), tracee);
    // The file exists in /proc/TID only, not under task; /proc finds threads by their own number too.
    this.timerSlack = reader.text("/proc/" + tid + "/timerslack_ns").strip();
    this.interruptedSleep = InterruptedSleep.read(tracee.pid(), registers);
  }

  /**
   * Reads a stopped thread; on the tracer thread.
   *
   * @param status read in the freeze, but before any injected call: those add to its count of context switches
   */
  public static ThreadReading read(RawReader reader, Tracee tracee, ProcStatus status, InjectedThread injected) {
    return new ThreadReading(reader, tracee, status, injected);
  }

  private static byte[] present(byte @Nullable [] bytes, Tracee tracee) {
    if (bytes == null) {
      throw new KernelException("read", Errno.ESRCH, tracee.pid(), "thread " + tracee.tid());
    }
    return bytes;
  }

  int tid() {
    return tid;
  }

  InjectedThread injected() {
    return injected;
  }

  /** The general registers. */
  public Registers registers() {
    return registers;
  }

  byte[] extendedState() {
    return extendedState;
  }

  long signalMask() {
    return signalMask;
  }

  List<byte[]> pending() {
    return pending;
  }

  RseqConfiguration rseq() {
    return rseq;
  }

  RobustList robustList() {
    return robustList;
  }

  SchedAttributes scheduling() {
    return scheduling;
  }

  byte[] affinity() {
    return affinity;
  }

  int ioPriority() {
    return ioPriority;
  }

  /** The thread's {@code status}. */
  public ProcStatus status() {
    return status;
  }

  byte[] rawComm() {
    return rawComm;
  }

  String timerSlack() {
    return timerSlack;
  }

  @Nullable InterruptedSleep interruptedSleep() {
    return interruptedSleep;
  }

  /** The length of the extended state in bytes. */
  public int extendedStateBytes() {
    return extendedState.length;
  }

  /** XCR0 of the saved state: the kernel keeps it in the first of the bytes of the legacy area that software may use. */
  public long extendedFeatures() {
    int xcr0Offset = 464;
    if (extendedState.length < xcr0Offset + Long.BYTES) {
      return 0;
    }
    return ByteBuffer.wrap(extendedState).order(ByteOrder.LITTLE_ENDIAN).getLong(xcr0Offset);
  }
}
