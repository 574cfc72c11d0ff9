package io.pagelift.dumper.cli;

import io.pagelift.common.CommandRunner;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.KernelWarmUp;
import org.jspecify.annotations.Nullable;

/** Entry point of {@code dumper}. */
public final class DumperMain {
  private DumperMain() {}

  /** Runs the command and exits with its code. */
  public static void main(String[] arguments) {
    if (arguments.length > 0 && !arguments[0].startsWith("-")) {
      KernelWarmUp.begin();
    }
    System.exit(CommandRunner.run(new DumperCommand(), DumperMain::translate, arguments));
  }

  /** What a failure of the kernel, at a place where nobody foresaw it, means to the user. */
  static @Nullable PageliftException translate(Throwable failure) {
    if (!(failure instanceof KernelException kernel)) {
      return null;
    }
    String what = kernel.getMessage() + "; the process runs on.";
    if (kernel.processGone()) {
      return new PageliftException(ErrorCategory.REFUSED, "A process went away meanwhile: " + kernel.getMessage() + ".", failure);
    }
    return switch (kernel.errno()) {
      case Errno.EPERM, Errno.EACCES ->
          new PageliftException(ErrorCategory.REFUSED, "Not permitted: " + what + " Run this as root.", failure);
      case Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE, Errno.ENOSPC, Errno.ETIMEDOUT ->
          new PageliftException(ErrorCategory.EXHAUSTED, what, failure);
      default -> null;
    };
  }
}
