package io.pagelift.restorer.remote;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;

/** How a step of the rebuilding that failed is told. By then all half-built processes are ended. */
public final class RebuildFailure {
  private RebuildFailure() {}

  /** A failed call. Out of memory, files or space is EXHAUSTED, everything else INTERNAL: what can be foreseen was refused. */
  public static PageliftException of(int pid, String what, KernelException e) {
    boolean exhausted =
        switch (e.errno()) {
          case Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE, Errno.ENOSPC, Errno.EDQUOT, Errno.ETIMEDOUT, Errno.EAGAIN -> true;
          default -> false;
        };
    return new PageliftException(
        exhausted ? ErrorCategory.EXHAUSTED : ErrorCategory.INTERNAL,
        sentence(pid, what, e.call() + " failed with " + e.errnoName()),
        e);
  }

  /** A step that failed for another reason. */
  public static PageliftException of(int pid, String what, String why) {
    return new PageliftException(ErrorCategory.INTERNAL, sentence(pid, what, why));
  }

  private static String sentence(int pid, String what, String why) {
    return "Process " + pid + " can't be rebuilt: could not " + what + ": " + why + "; nothing of it is left running.";
  }
}
