package io.pagelift.dumper.freeze;

import io.pagelift.linux.Errno;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Tracee;

/**
 * Keeps a freeze from showing as EINTR.
 *
 * <p>A stop interrupts the call in which a thread sleeps. Most calls the kernel starts again by itself, without the program
 * noticing; a few give EINTR to a program that has no signal handler at all: signal(7), "Interruption of system calls and
 * library functions by stop signals". A program that never stops may not be ready for that. Where such a call waits without a
 * time limit, its result becomes -ERESTARTNOHAND, which the kernel treats as it should have: a handler still makes it EINTR,
 * and otherwise the call starts again. A call with a time limit would start again with all of it, so it stays EINTR.
 */
final class UnnoticedStop {
  private static final long ERESTARTNOHAND = -514;

  private UnnoticedStop() {}

  /** Looks at a thread that has just stopped. */
  static void mend(Tracee tracee) {
    Registers registers = tracee.registers();
    if (registers.result() == -Errno.EINTR && waitsWithoutLimit(registers)) {
      tracee.setRegisters(registers.copy().setRax(ERESTARTNOHAND));
    }
  }

  private static boolean waitsWithoutLimit(Registers registers) {
    long number = registers.syscallNumber();
    if (number == SyscallNumbers.EPOLL_WAIT || number == SyscallNumbers.EPOLL_PWAIT) {
      return (int) registers.argument(3) < 0;
    }
    if (number == SyscallNumbers.EPOLL_PWAIT2 || number == SyscallNumbers.SEMTIMEDOP) {
      return registers.argument(3) == 0;
    }
    if (number == SyscallNumbers.RT_SIGTIMEDWAIT) {
      return registers.argument(2) == 0;
    }
    return number == SyscallNumbers.SEMOP;
  }
}
