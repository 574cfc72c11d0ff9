package io.pagelift.restorer.cli;

import io.pagelift.common.CommandRunner;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.KernelWarmUp;
import org.jspecify.annotations.Nullable;

/** Entry point of {@code restorer}. */
public final class RestorerMain {
  private RestorerMain() {}

  /** Runs the command and exits with its code. */
  public static void main(String[] arguments) {
    if (arguments.length > 0 && arguments[0].equals("restore")) {
      KernelWarmUp.begin();
    }
    System.exit(CommandRunner.run(new RestorerCommand(), RestorerMain::known, arguments));
  }

  private static @Nullable PageliftException known(Throwable failure) {
    return failure instanceof KernelException kernel
        ? new PageliftException(
            ErrorCategory.INTERNAL, kernel.getMessage() + "; nothing was left running, try again.", kernel)
        : null;
  }
}
