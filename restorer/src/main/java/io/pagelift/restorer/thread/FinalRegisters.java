package io.pagelift.restorer.thread;

import io.pagelift.image.InterruptedCall;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.ptrace.Registers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The general registers with which a rebuilt thread goes on.
 *
 * <p><b>A call that the freeze interrupted.</b> At a stop of the kind that {@code PTRACE_INTERRUPT} makes, the kernel itself does
 * what it does for any interrupted call when the thread is let go: with {@code orig_rax} and the -ERESTART code in {@code rax}
 * as they were, it either delivers a signal, whose handler then sees EINTR or not as for any process, or it starts the call
 * again. So both stay. One code is different: -ERESTART_RESTARTBLOCK means "go on as the restart block in the kernel says", and
 * a new thread has none. It becomes -ERESTARTNOHAND, which behaves the same (EINTR if a handler runs, otherwise the call starts
 * again), and the call's time is replaced by what was left. So is that of a call that the dumper already gave that code.
 *
 * <p><b>A restartable sequence.</b> A thread that was frozen inside one (rseq(2)) has lost it: the kernel would have sent it to the
 * abort handler when it ran again. Here the kernel can't know that, so the registers go to the abort handler right away.
 */
public final class FinalRegisters {
  private static final long ERESTARTNOHAND = -514;
  private static final long ERESTART_RESTARTBLOCK = -516;
  private static final long POLL = 7;
  private static final long NANOSLEEP = 35;
  private static final long RT_SIGTIMEDWAIT = 128;
  private static final long FUTEX = 202;
  private static final long RESTART_SYSCALL = 219;
  private static final long SEMTIMEDOP = 220;
  private static final long CLOCK_NANOSLEEP = 230;
  private static final long EPOLL_WAIT = 232;
  private static final long EPOLL_PWAIT = 281;
  private static final long EPOLL_PWAIT2 = 441;

  /** Below the red zone (128 bytes) of the stack nothing is kept that a signal handler would not overwrite too. */
  private static final int BELOW_STACK_BYTES = 512;

  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final long NANOS_PER_MILLI = 1_000_000L;
  private static final int RSEQ_CS_OFFSET = 8;
  private static final int RSEQ_CS_BYTES = 32;

  private FinalRegisters() {}

  /**
   * Works them out; the process's memory must be complete, and its rseq area not registered yet (the kernel clears it).
   *
   * @param pid the process, for messages
   */
  public static Registers of(int pid, ThreadImage thread, RemoteMemory.MemFile memory) {
    Registers registers = Registers.of(thread.getGeneralRegisters().toByteArray());
    boolean restarts =
        registers.rax() == ERESTART_RESTARTBLOCK || (registers.rax() == ERESTARTNOHAND && thread.hasInterruptedCall());
    if (registers.origRax() >= 0 && restarts) {
      restartWithWhatIsLeft(registers, thread.getInterruptedCall(), memory);
      registers.setRax(ERESTARTNOHAND);
    }
    abortSequence(thread, registers, memory);
    return registers;
  }

  private static void restartWithWhatIsLeft(Registers registers, InterruptedCall call, RemoteMemory.MemFile memory) {
    if (registers.origRax() == RESTART_SYSCALL && call.getNumber() != 0) {
      // An earlier freeze had interrupted the call, and the kernel went on with it under this number. The arguments are still its own.
      registers.setOrigRax(call.getNumber());
    }
    long number = registers.origRax();
    boolean known = call.getHasRemaining() && call.getNumber() == number;
    if (number == NANOSLEEP) {
      sleep(registers, 0, call, known, memory);
    } else if (number == CLOCK_NANOSLEEP) {
      sleep(registers, 2, call, known, memory);
    } else if (number == POLL && known) {
      registers.setArgument(2, millis(call));
    } else if ((number == EPOLL_WAIT || number == EPOLL_PWAIT) && known) {
      registers.setArgument(3, millis(call));
    } else if (number == RT_SIGTIMEDWAIT && known) {
      putTime(registers, 2, call, memory);
    } else if ((number == FUTEX || number == EPOLL_PWAIT2 || number == SEMTIMEDOP) && known) {
      putTime(registers, 3, call, memory);
    }
  }

  private static long millis(InterruptedCall call) {
    return (call.getRemainingNanos() + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI;
  }

  /** The kernel has written what is left of a sleep to the address that the caller gave for it, if it gave one. */
  private static void sleep(
      Registers registers, int request, InterruptedCall call, boolean known, RemoteMemory.MemFile memory) {
    long remainder = registers.argument(request + 1);
    if (remainder != 0) {
      registers.setArgument(request, remainder);
    } else if (known) {
      putTime(registers, request, call, memory);
    }
  }

  private static void putTime(Registers registers, int argument, InterruptedCall call, RemoteMemory.MemFile memory) {
    long place = (registers.rsp() - BELOW_STACK_BYTES) & -16L;
    ByteBuffer time = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    time.putLong(call.getRemainingNanos() / NANOS_PER_SECOND).putLong(call.getRemainingNanos() % NANOS_PER_SECOND);
    try {
      memory.write(place, time.array());
      registers.setArgument(argument, place);
    } catch (KernelException e) {
      // No memory below the stack pointer: the call starts again with its full time, later than it would have ended.
    }
  }

  /** See struct rseq_cs in linux/rseq.h: version, flags, start, length, abort address. */
  private static void abortSequence(ThreadImage thread, Registers registers, RemoteMemory.MemFile memory) {
    if (!thread.hasRseq() || thread.getRseq().getAddress() == 0) {
      return;
    }
    long pointer = thread.getRseq().getAddress() + RSEQ_CS_OFFSET;
    long descriptor = words(memory.read(pointer, Long.BYTES)).getLong(0);
    if (descriptor == 0) {
      return;
    }
    ByteBuffer sequence;
    try {
      sequence = words(memory.read(descriptor, RSEQ_CS_BYTES));
    } catch (KernelException e) {
      // The pointer is only looked at when a thread is interrupted inside a sequence; a stale one does no harm.
      return;
    }
    if (Long.compareUnsigned(registers.rip() - sequence.getLong(8), sequence.getLong(16)) < 0) {
      registers.setRip(sequence.getLong(24));
      memory.write(pointer, new byte[Long.BYTES]);
    }
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }
}
