package io.pagelift.linux;

/** A descriptor that stands for one process, and never for another one that gets its number later: {@code pidfd_open(2)}. */
public final class PidFd implements AutoCloseable {
  private final int pid;
  private final FileDescriptor descriptor;

  private PidFd(int pid, FileDescriptor descriptor) {
    this.pid = pid;
    this.descriptor = descriptor;
  }

  /** Opens a process by its id; ESRCH if there is none. */
  public static PidFd open(int pid) {
    long result = Kernel.call(SyscallNumbers.PIDFD_OPEN, pid, 0);
    return new PidFd(pid, FileDescriptor.own((int) Kernel.check(result, "pidfd_open", pid, ""), "pidfd " + pid));
  }

  /** The process id. */
  public int pid() {
    return pid;
  }

  /** The descriptor itself. */
  public FileDescriptor descriptor() {
    return descriptor;
  }

  /** {@code pidfd_getfd(2)}: a copy of a descriptor of that process, close-on-exec. Needs the right to ptrace it. */
  public FileDescriptor fetch(int targetNumber) {
    long result = Kernel.call(SyscallNumbers.PIDFD_GETFD, descriptor.number(), targetNumber, 0);
    int number = (int) Kernel.check(result, "pidfd_getfd", pid, "fd " + targetNumber);
    return FileDescriptor.own(number, "fd " + targetNumber + " of process " + pid);
  }

  /** Whether the process has exited (it may still be a zombie). */
  public boolean exited() {
    return awaitExit(new Deadline(System.nanoTime()));
  }

  /** Waits for the exit; whether it came before the deadline. */
  public boolean awaitExit(Deadline deadline) {
    Scratch scratch = Scratch.ofThread();
    while (true) {
      scratch.struct().putInt(0, descriptor.number()).putShort(4, (short) Constants.POLLIN).putShort(6, (short) 0);
      long result = Kernel.call(SyscallNumbers.POLL, scratch.structAddress(), 1, deadline.remainingMillis());
      if (result == -Errno.EINTR) {
        continue;
      }
      return Kernel.check(result, "poll", pid, "pidfd") > 0;
    }
  }

  /** {@code pidfd_send_signal(2)}; ESRCH if the process has been reaped. */
  public void sendSignal(int signal) {
    long result = Kernel.call(SyscallNumbers.PIDFD_SEND_SIGNAL, descriptor.number(), signal, 0, 0);
    Kernel.check(result, "pidfd_send_signal", pid, "signal " + signal);
  }

  @Override
  public void close() {
    descriptor.close();
  }
}
