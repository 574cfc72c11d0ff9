package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.Messages;
import java.util.regex.Pattern;

/** Names that come over the wire and end in file names. */
final class Names {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");
  private static final int SHOWN_CHARS = 40;

  private Names() {}

  /** Throws a USAGE error when the name could be anything but one plain file name. */
  static void check(String name, String what) {
    if (!NAME.matcher(name).matches()) {
      String shown = Messages.printable(name.substring(0, Math.min(name.length(), SHOWN_CHARS)));
      throw new PageliftException(
          ErrorCategory.USAGE,
          what + " must be 1 to 128 letters, digits, dots, hyphens and underscores, and begin with a letter or digit: '" + shown + "'");
    }
  }
}
