package io.pagelift.linux;

/**
 * What {@code wait4(2)} reported.
 *
 * @param pid the process or thread, 0 if there was nothing to report
 * @param status the raw status
 */
public record WaitResult(int pid, int status) {
  /** Whether nothing was reported. */
  public boolean nothing() {
    return pid == 0;
  }

  /** Whether it ended by itself. */
  public boolean exited() {
    return pid != 0 && (status & 0x7f) == 0;
  }

  /** The exit code, 0 to 255, if {@link #exited()}. */
  public int exitCode() {
    return (status >> 8) & 0xff;
  }

  /** Whether a signal ended it. */
  public boolean killed() {
    return pid != 0 && (status & 0x7f) != 0 && (status & 0x7f) != 0x7f;
  }

  /** Whether it is over, one way or the other. */
  public boolean ended() {
    return exited() || killed();
  }

  /** The signal that ended it, if {@link #killed()}. */
  public int killingSignal() {
    return status & 0x7f;
  }

  /** Whether it stopped. */
  public boolean stopped() {
    return pid != 0 && (status & 0xff) == 0x7f;
  }

  /** The signal that stopped it; with {@code 0x80} for a system call stop. */
  public int stopSignal() {
    return (status >> 8) & 0xff;
  }

  /** The ptrace event of a stop, 0 if none. */
  public int event() {
    return status >>> 16;
  }

  @Override
  public String toString() {
    return "WaitResult[pid=" + pid + ", status=0x" + Integer.toHexString(status) + "]";
  }
}
