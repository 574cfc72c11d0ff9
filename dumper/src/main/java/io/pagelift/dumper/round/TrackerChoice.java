package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Feature;
import io.pagelift.linux.KernelFeatures;
import java.util.Arrays;
import java.util.Optional;

/**
 * The dirty tracker of a command.
 *
 * @param kind which one
 * @param pagemapScan whether the kernel has PAGEMAP_SCAN
 */
record TrackerChoice(TrackerKind kind, boolean pagemapScan) {
  /**
   * The best tracker that works here, or the one that was asked for.
   *
   * @throws PageliftException REFUSED when the one asked for does not work here
   */
  static TrackerChoice choose(KernelFeatures features, Optional<TrackerKind> forced) {
    boolean pagemapScan = features.has(Feature.PAGEMAP_SCAN);
    boolean writeProtect = pagemapScan && features.has(Feature.UFFD_WP_ASYNC) && features.has(Feature.PIDFD_GETFD);
    if (forced.isEmpty()) {
      return new TrackerChoice(best(writeProtect, features.has(Feature.SOFT_DIRTY)), pagemapScan);
    }
    TrackerKind kind = forced.get();
    if (kind == TrackerKind.UFFD_WP && !writeProtect) {
      throw refused(kind, "it needs Linux 6.7 with userfaultfd and PAGEMAP_SCAN: "
          + firstRefusal(features, Feature.UFFD_WP_ASYNC, Feature.PAGEMAP_SCAN, Feature.PIDFD_GETFD));
    }
    if (kind == TrackerKind.SOFT_DIRTY && !features.has(Feature.SOFT_DIRTY)) {
      throw refused(kind, "this kernel was built without CONFIG_MEM_SOFT_DIRTY (" + features.refusal(Feature.SOFT_DIRTY) + ")");
    }
    return new TrackerChoice(kind, pagemapScan);
  }

  private static TrackerKind best(boolean writeProtect, boolean softDirty) {
    if (writeProtect) {
      return TrackerKind.UFFD_WP;
    }
    return softDirty ? TrackerKind.SOFT_DIRTY : TrackerKind.COMPARE;
  }

  private static String firstRefusal(KernelFeatures features, Feature... wanted) {
    return Arrays.stream(wanted).map(features::refusal).filter(refusal -> !refusal.isEmpty()).findFirst().orElse("");
  }

  private static PageliftException refused(TrackerKind kind, String why) {
    return new PageliftException(
        ErrorCategory.REFUSED, "The tracker '" + kind + "' cannot be used: " + why + "; leave --track out to take the best that works.");
  }
}
