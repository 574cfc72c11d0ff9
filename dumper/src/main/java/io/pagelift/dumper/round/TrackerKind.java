package io.pagelift.dumper.round;

/** The dirty trackers, best first. */
public enum TrackerKind {
  /** Write-protecting userfaultfd and PAGEMAP_SCAN, Linux 6.7 and later: no freeze after the first round. */
  UFFD_WP("uffd-wp"),
  /** Soft-dirty bits, kernels built with CONFIG_MEM_SOFT_DIRTY: a short freeze each round. */
  SOFT_DIRTY("soft-dirty"),
  /** No help from the kernel: every page is read and hashed each round. */
  COMPARE("compare");

  private final String text;

  TrackerKind(String text) {
    this.text = text;
  }

  /** The name on the command line and in the manifest. */
  public String text() {
    return text;
  }

  @Override
  public String toString() {
    return text;
  }
}
