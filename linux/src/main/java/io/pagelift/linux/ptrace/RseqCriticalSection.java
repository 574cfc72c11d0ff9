package io.pagelift.linux.ptrace;

import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.RemoteMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Takes a stopped thread out of a restartable sequence, as the kernel does when it preempts a thread there.
 *
 * <p>A thread that is inside such a sequence and is put somewhere else (into a stub, into another host's kernel) must not go on in
 * the middle of it: the kernel forgets the sequence as soon as the thread runs outside, and would not abort it any more. So the
 * thread continues at the abort handler, which starts the sequence again. See rseq(2) and the kernel's
 * {@code include/uapi/linux/rseq.h}.
 */
public final class RseqCriticalSection {
  private static final int POINTER_OFFSET = 8;
  private static final int DESCRIPTOR_BYTES = 32;
  private static final int START_IP = 8;
  private static final int POST_COMMIT_OFFSET = 16;
  private static final int ABORT_IP = 24;

  private RseqCriticalSection() {}

  /**
   * The registers with which the thread is to go on: those given, or the same at the abort handler if the thread is inside a
   * restartable sequence.
   *
   * @param tracee the stopped thread
   * @param registers its registers
   */
  public static Registers left(Tracee tracee, Registers registers) {
    RseqConfiguration rseq;
    try {
      rseq = tracee.rseq();
    } catch (KernelException e) {
      if (e.errno() == Errno.EIO) {
        return registers; // before Linux 5.13
      }
      throw e;
    }
    return rseq.address() == 0 ? registers : left(tracee.pid(), rseq, registers);
  }

  /** The same with the configuration known. */
  public static Registers left(int pid, RseqConfiguration rseq, Registers registers) {
    try {
      long descriptor = words(RemoteMemory.read(pid, rseq.address() + POINTER_OFFSET, Long.BYTES)).getLong(0);
      if (descriptor == 0) {
        return registers;
      }
      ByteBuffer section = words(RemoteMemory.read(pid, descriptor, DESCRIPTOR_BYTES));
      long distance = registers.rip() - section.getLong(START_IP);
      boolean inside = Long.compareUnsigned(distance, section.getLong(POST_COMMIT_OFFSET)) < 0;
      return inside ? registers.copy().setRip(section.getLong(ABORT_IP)).setOrigRax(-1) : registers;
    } catch (KernelException e) {
      if (e.errno() == Errno.EFAULT) {
        return registers; // a stale pointer: the kernel would kill the thread if it meant anything
      }
      throw e;
    }
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }
}
