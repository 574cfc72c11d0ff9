package io.pagelift.dumper.refuse;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.List;

/** What was found in a frozen tree cannot be carried over. */
public final class TreeRefused extends PageliftException {
  private static final long serialVersionUID = 1;

  private final boolean passing;

  /** Refused for these reasons, at least one. */
  public TreeRefused(List<Refusal> refusals) {
    super(ErrorCategory.REFUSED, Refusal.sentences(refusals));
    passing = refusals.stream().allMatch(Refusal::passing);
  }

  /** Whether all of it may be gone in a moment, when the tree runs on. */
  public boolean passing() {
    return passing;
  }
}
