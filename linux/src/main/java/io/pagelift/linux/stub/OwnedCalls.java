package io.pagelift.linux.stub;

import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ptrace.Registers;
import io.pagelift.linux.ptrace.Stop;
import io.pagelift.linux.ptrace.Tracee;

/** Single calls in a thread that we own, by any system-call instruction that it has mapped; for before and after the stub. */
final class OwnedCalls {
  private OwnedCalls() {}

  /**
   * Makes a call and leaves the thread stopped at its exit, still behind the system-call instruction.
   *
   * @param instruction the address of a system-call instruction in the process
   * @return the result, or a negative error number
   * @throws KernelException ESRCH if the thread ended
   */
  static long make(Tracee tracee, Deadline deadline, long instruction, long number, long... arguments) {
    Registers registers = tracee.registers().setRip(instruction).setRax(number).setOrigRax(-1);
    for (int i = 0; i < arguments.length; i++) {
      registers.setArgument(i, arguments[i]);
    }
    tracee.setRegisters(registers);
    toSyscallStop(tracee, deadline);
    toSyscallStop(tracee, deadline);
    return tracee.registers().result();
  }

  private static void toSyscallStop(Tracee tracee, Deadline deadline) {
    while (true) {
      tracee.syscallResume(0);
      Stop stop = tracee.awaitStop(deadline);
      if (stop.kind() == Stop.Kind.SYSCALL) {
        return;
      }
      if (stop.ended() || stop.kind() == Stop.Kind.SIGNAL) {
        throw new KernelException(
            "injection", Errno.ESRCH, tracee.pid(), "thread " + tracee.tid() + ", which met " + stop);
      }
    }
  }
}
