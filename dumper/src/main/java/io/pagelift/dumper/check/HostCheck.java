package io.pagelift.dumper.check;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.refuse.Refusal;
import io.pagelift.dumper.refuse.Refusals;
import io.pagelift.dumper.round.Messages;
import io.pagelift.dumper.round.TargetCheck;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.Feature;
import io.pagelift.linux.KernelFeatures;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The command check. The three closing phrases are those that users of CRIU know, and scripts look for. */
public final class HostCheck {
  private static final String GOOD = "Looks good.";
  private static final String MOSTLY_GOOD =
      """
      Looks good but some kernel features are missing
      which, depending on your process tree, may cause
      dump or restore failure.""";
  private static final String BAD = "Does not look good.";

  /** How a check ended. */
  public enum Verdict {
    /** Everything is there. */
    GOOD(0),
    /** Something is missing that not every tree needs. */
    MOSTLY_GOOD(0),
    /** Something is missing without which nothing works, or the tree is refused. */
    BAD(ErrorCategory.REFUSED.exitCode());

    private final int exitCode;

    Verdict(int exitCode) {
      this.exitCode = exitCode;
    }

    /** The exit code of the command. */
    public int exitCode() {
      return exitCode;
    }
  }

  private HostCheck() {}

  /**
   * Checks this host and, if given, a tree, and prints a line for each thing that is missing.
   *
   * @param pid the root of a tree to look at; null for the host alone
   * @param options what a dump of the tree would be allowed
   */
  public static Verdict run(@Nullable Integer pid, CollectOptions options, Messages messages) {
    Verdict verdict = host(KernelFeatures.probe(), messages);
    if (pid != null && !tree(pid, options, messages)) {
      verdict = Verdict.BAD;
    }
    messages.line(
        switch (verdict) {
          case GOOD -> GOOD;
          case MOSTLY_GOOD -> MOSTLY_GOOD;
          case BAD -> BAD;
        });
    return verdict;
  }

  /**
   * Makes sure, before anything is touched, that this host lets this user dump at all.
   *
   * @return what it can do
   * @throws PageliftException REFUSED, naming the first thing that is missing
   */
  public static KernelFeatures require() {
    KernelFeatures features = KernelFeatures.probe();
    for (Requirement requirement : Requirement.all()) {
      if (requirement.neededAtSource() && !features.has(requirement.feature())) {
        throw new PageliftException(
            ErrorCategory.REFUSED,
            "This kernel or user cannot dump: " + requirement.sentence(features.refusal(requirement.feature()))
                + " 'dumper check' tells all.");
      }
    }
    return features;
  }

  private static Verdict host(KernelFeatures features, Messages messages) {
    Verdict verdict = Verdict.GOOD;
    boolean writeProtect = features.has(Feature.UFFD_WP_ASYNC) && features.has(Feature.PAGEMAP_SCAN);
    for (Requirement requirement : Requirement.all()) {
      if (features.has(requirement.feature())) {
        continue;
      }
      boolean covered = requirement.covered(writeProtect);
      messages.line(
          (requirement.needed() ? "Error: " : covered ? "Note: " : "Warning: ")
              + requirement.sentence(features.refusal(requirement.feature())));
      if (requirement.needed()) {
        verdict = Verdict.BAD;
      } else if (verdict == Verdict.GOOD && !covered) {
        verdict = Verdict.MOSTLY_GOOD;
      }
    }
    messages.line("Dirty tracker that would be used: " + (writeProtect ? "uffd-wp" : features.has(Feature.SOFT_DIRTY) ? "soft-dirty" : "compare") + ".");
    return verdict;
  }

  private static boolean tree(int pid, CollectOptions options, Messages messages) {
    TargetCheck.check(pid);
    List<Refusal> refusals = Refusals.check(pid, options);
    refusals.forEach(refusal -> messages.line("Error: " + refusal.sentence()));
    return refusals.isEmpty();
  }
}
