package io.pagelift.linux;

import java.util.regex.Pattern;

/** A system call, or a read of {@code /proc}, that failed: which call, why, on which process and object. */
public final class KernelException extends RuntimeException {
  private static final Pattern OF_EVERY_PROCESS = Pattern.compile("/proc/\\d+(/task/\\d+)?(/(?!exe$)[a-z_]+)?");

  private final String call;
  private final int errno;
  private final int pid;
  private final String object;

  /**
   * A failed call.
   *
   * @param call the call's name, such as {@code "pidfd_open"}
   * @param errno the positive error number
   * @param pid the process concerned, or 0 for this one
   * @param object what the call was about; may be empty
   */
  public KernelException(String call, int errno, int pid, String object) {
    super(message(call, errno, pid, object));
    this.call = call;
    this.errno = errno;
    this.pid = pid;
    this.object = object;
  }

  private static String message(String call, int errno, int pid, String object) {
    StringBuilder text = new StringBuilder(call);
    if (!object.isEmpty()) {
      text.append(" on ").append(object);
    }
    if (pid != 0) {
      text.append(" of process ").append(pid);
    }
    return text.append(" failed with ").append(Errno.name(errno)).toString();
  }

  /** The name of the call. */
  public String call() {
    return call;
  }

  /** The positive error number. */
  public int errno() {
    return errno;
  }

  /** The error's name, such as {@code "ESRCH"}. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** The process concerned, or 0 for this one. */
  public int pid() {
    return pid;
  }

  /** What the call was about; may be empty. */
  public String object() {
    return object;
  }

  /**
   * Whether the error says that the process or thread is gone: ESRCH, or ENOENT for a file that every process has in {@code
   * /proc}. A missing descriptor or mapping ({@code /proc/PID/fd/7}), or the missing {@code exe} of a zombie, does not.
   */
  public boolean processGone() {
    return errno == Errno.ESRCH || (errno == Errno.ENOENT && OF_EVERY_PROCESS.matcher(object).matches());
  }
}
