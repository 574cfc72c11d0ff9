package io.pagelift.restorer.source;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.List;

/** Which migration is meant when none is named. */
final class OnlyComplete {
  private OnlyComplete() {}

  /** The only name, or a sentence that lists the choice. */
  static String of(List<String> complete, String where) {
    if (complete.isEmpty()) {
      throw new PageliftException(
          ErrorCategory.REFUSED, "There is no complete migration in " + where + "; run 'dumper dump' first.");
    }
    if (complete.size() > 1) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "There are several complete migrations in "
              + where
              + ": "
              + String.join(", ", complete)
              + "; say which one with --name.");
    }
    return complete.get(0);
  }
}
