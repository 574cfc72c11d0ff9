package io.pagelift.dumper.freeze;

import io.pagelift.linux.Errno;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Tracee;
import java.util.Set;

/**
 * Keeps a freeze from showing as EINTR.
 *
 * <p>A stop interrupts the call in which a thread sleeps. Most calls the kernel starts again by itself, without the program
 * noticing; a few give EINTR to a program that has no signal handler at all: signal(7), "Interruption of system calls and
 * library functions by stop signals". A program that never stops may not be ready for that. Each of these calls gives EINTR only
 * when it has done nothing yet, so its result becomes -ERESTARTNOHAND, which the kernel treats as it should have: a handler still
 * makes it EINTR, and otherwise the call starts again.
 *
 * <p>One with a time limit starts again with all of it: it may wait longer than it was asked to, by what it had waited before the
 * freeze, and never shorter. (Its limit is in a register, and a system call leaves its registers as they were: a living program may
 * rely on that.) A restored thread gets what is left, see {@code InterruptedSleep}.
 */
final class UnnoticedStop {
  private static final long ERESTARTNOHAND = -514;

  /** The calls of signal(7); of those that read and write only sockets with SO_RCVTIMEO or SO_SNDTIMEO give EINTR. */
  private static final Set<Long> CALLS =
      Set.of(
          SyscallNumbers.EPOLL_WAIT,
          SyscallNumbers.EPOLL_PWAIT,
          SyscallNumbers.EPOLL_PWAIT2,
          SyscallNumbers.SEMOP,
          SyscallNumbers.SEMTIMEDOP,
          SyscallNumbers.RT_SIGTIMEDWAIT,
          SyscallNumbers.IO_GETEVENTS,
          SyscallNumbers.ACCEPT,
          SyscallNumbers.ACCEPT4,
          SyscallNumbers.CONNECT,
          SyscallNumbers.READ,
          SyscallNumbers.READV,
          SyscallNumbers.RECVFROM,
          SyscallNumbers.RECVMSG,
          SyscallNumbers.RECVMMSG,
          SyscallNumbers.WRITE,
          SyscallNumbers.WRITEV,
          SyscallNumbers.SENDTO,
          SyscallNumbers.SENDMSG,
          SyscallNumbers.SENDMMSG,
          // These three only when the kernel can't write to where the caller has the limit what is left of it.
          SyscallNumbers.SELECT,
          SyscallNumbers.PSELECT6,
          SyscallNumbers.PPOLL);

  private UnnoticedStop() {}

  /** Looks at a thread that has just stopped. */
  static void mend(Tracee tracee) {
    Registers registers = tracee.registers();
    if (registers.result() == -Errno.EINTR && CALLS.contains(registers.syscallNumber())) {
      tracee.setRegisters(registers.copy().setRax(ERESTARTNOHAND));
    }
  }
}
