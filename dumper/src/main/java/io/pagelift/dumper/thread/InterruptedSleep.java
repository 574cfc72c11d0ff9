package io.pagelift.dumper.thread;

import io.pagelift.dumper.freeze.SleepSamples;
import io.pagelift.image.InterruptedCall;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Registers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A call with a time limit that the freeze interrupted: one that the kernel would go on with through its restart block (poll,
 * nanosleep, clock_nanosleep, futex), or start again because the freeze made it so (epoll_wait and its like, semtimedop,
 * rt_sigtimedwait).
 *
 * <p>How long it still had: a sleep with a place for the remainder has been told by the kernel when it was interrupted. For the
 * others it is the limit less the time since the thread went to sleep ({@link SleepSamples}), if that is known, else the whole
 * limit: such a call may last longer than it should, never shorter.
 *
 * <p>A thread that an earlier freeze had interrupted is in restart_syscall(2), and its registers no longer say which call that
 * is. The sample does; failing that, the instruction before the system call, which in the C library loads a constant number.
 */
final class InterruptedSleep {
  private static final long ERESTART_RESTARTBLOCK = -516;
  private static final long ERESTARTNOHAND = -514;

  /** Their limits are relative, and a freeze restarts them. */
  private static final Set<Long> RESTARTED =
      Set.of(
          SyscallNumbers.EPOLL_WAIT,
          SyscallNumbers.EPOLL_PWAIT,
          SyscallNumbers.EPOLL_PWAIT2,
          SyscallNumbers.SEMTIMEDOP,
          SyscallNumbers.RT_SIGTIMEDWAIT);

  private static final int CODE_BYTES = 7;
  private static final byte MOVE_TO_EAX = (byte) 0xb8;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final long NANOS_PER_MILLI = 1_000_000L;

  private final Registers registers;
  private final long numberInCode;
  private final byte @Nullable [] firstTime;
  private final byte @Nullable [] secondTime;
  private final byte @Nullable [] thirdTime;
  private final byte @Nullable [] fourthTime;

  private InterruptedSleep(int pid, Registers registers) {
    this.registers = registers;
    this.numberInCode = numberInCode(pid, registers.rip());
    // Which argument is a time is known only with the number, later; reading 16 bytes four times costs nothing.
    this.firstTime = read(pid, registers.argument(0), 16);
    this.secondTime = read(pid, registers.argument(1), 16);
    this.thirdTime = read(pid, registers.argument(2), 16);
    this.fourthTime = read(pid, registers.argument(3), 16);
  }

  /** Reads what it needs of the stopped process; {@code null} when the thread was not in such a call. */
  static @Nullable InterruptedSleep read(int pid, Registers registers) {
    boolean restartBlock = registers.rax() == ERESTART_RESTARTBLOCK;
    boolean restarted = registers.rax() == ERESTARTNOHAND && RESTARTED.contains(registers.origRax());
    return registers.origRax() >= 0 && (restartBlock || restarted)
        ? new InterruptedSleep(pid, registers)
        : null;
  }

  /**
   * The image's message.
   *
   * @param sample what was seen of the thread shortly before, if it slept from then until the freeze
   * @param frozenMonotonicNanos when the freeze was
   */
  InterruptedCall image(SleepSamples.@Nullable Sample sample, long frozenMonotonicNanos) {
    long number = number(sample);
    InterruptedCall.Builder call = InterruptedCall.newBuilder().setNumber(number);
    long told = remainderNanos(number);
    long limit = limitNanos(number);
    if (told >= 0) {
      call.setHasRemaining(true).setRemainingNanos(told);
    } else if (limit >= 0) {
      long sleptNanos =
          sample != null && sample.call() == number
              ? Math.max(0, frozenMonotonicNanos - sample.sleepsSinceMonotonicNanos())
              : 0;
      call.setHasRemaining(true).setRemainingNanos(Math.max(0, limit - sleptNanos));
    }
    return call.build();
  }

  private long number(SleepSamples.@Nullable Sample sample) {
    if (registers.origRax() != SyscallNumbers.RESTART_SYSCALL) {
      return registers.origRax();
    }
    if (sample != null) {
      return sample.call();
    }
    return numberInCode >= 0 ? numberInCode : registers.origRax();
  }

  /** What the kernel has written as the rest; -1 when it was not asked to. */
  private long remainderNanos(long number) {
    if (number == SyscallNumbers.NANOSLEEP) {
      return nanos(secondTime);
    }
    return number == SyscallNumbers.CLOCK_NANOSLEEP ? nanos(fourthTime) : -1;
  }

  /** The whole time limit of the call; -1 for none. */
  private long limitNanos(long number) {
    if (number == SyscallNumbers.NANOSLEEP) {
      return nanos(firstTime);
    }
    if (number == SyscallNumbers.CLOCK_NANOSLEEP || number == SyscallNumbers.RT_SIGTIMEDWAIT) {
      return nanos(thirdTime);
    }
    if (number == SyscallNumbers.FUTEX || number == SyscallNumbers.EPOLL_PWAIT2 || number == SyscallNumbers.SEMTIMEDOP) {
      return nanos(fourthTime);
    }
    if (number == SyscallNumbers.EPOLL_WAIT || number == SyscallNumbers.EPOLL_PWAIT) {
      return millis(registers.argument(3));
    }
    return number == SyscallNumbers.POLL ? millis(registers.argument(2)) : -1;
  }

  /** A negative number of milliseconds means for ever. */
  private static long millis(long argument) {
    int millis = (int) argument;
    return millis >= 0 ? millis * NANOS_PER_MILLI : -1;
  }

  private static long nanos(byte @Nullable [] timespec) {
    if (timespec == null) {
      return -1;
    }
    ByteBuffer words = ByteBuffer.wrap(timespec).order(ByteOrder.nativeOrder());
    return words.getLong(0) * NANOS_PER_SECOND + words.getLong(8);
  }

  /** {@code mov $number, %eax; syscall}: the instruction pointer stands behind it. */
  private static long numberInCode(int pid, long instructionPointer) {
    byte[] code = read(pid, instructionPointer - CODE_BYTES, CODE_BYTES);
    return code == null || code[0] != MOVE_TO_EAX
        ? -1
        : ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).getInt(1);
  }

  private static byte @Nullable [] read(int pid, long address, int lengthBytes) {
    if (address == 0) {
      return null;
    }
    try (RemoteMemory.MemFile memory = RemoteMemory.openMem(pid)) {
      return memory.read(address, lengthBytes);
    } catch (KernelException e) {
      // Not an address: an argument of another kind.
      return null;
    }
  }
}
