package io.pagelift.pageserver.cli;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** Tells whoever started the program that it is ready: one zero byte, as CRIU's {@code --status-fd}. */
final class StatusDescriptor {
  private StatusDescriptor() {}

  /** Writes the byte to an inherited descriptor (a pipe or a file); null for none. */
  static void ready(@Nullable Integer descriptor) {
    if (descriptor == null) {
      return;
    }
    try (OutputStream out = new FileOutputStream("/proc/self/fd/" + descriptor, true)) {
      out.write(0);
    } catch (IOException e) {
      throw new PageliftException(
          ErrorCategory.USAGE, "--status-fd " + descriptor + " cannot be written (" + e.getMessage() + "): it must be an open pipe or file", e);
    }
  }
}
