package io.pagelift.dumper.memory;

/**
 * What a scan found in one address space. Page sets only, so that a scan of any size stays small.
 *
 * <p>A scan of a running process fills {@link #written}, {@link #vacated} and {@link #replaced}; a scan of a frozen one fills
 * {@link #present} too, and only then is it complete.
 */
public final class ScanFindings {
  private final boolean complete;
  private final PageSet present = new PageSet();
  private final PageSet written = new PageSet();
  private final PageSet vacated = new PageSet();
  private final PageSet replaced = new PageSet();

  /**
   * Empty findings.
   *
   * @param complete whether {@link #present} will hold every page that the address space owns
   */
  public ScanFindings(boolean complete) {
    this.complete = complete;
  }

  /** Whether {@link #present} says all. */
  public boolean complete() {
    return complete;
  }

  /** Pages that the address space owns and that are not the shared zero page. */
  public PageSet present() {
    return present;
  }

  /** Pages that are there and were written since the last scan, or of which that is not known. */
  public PageSet written() {
    return written;
  }

  /** Pages that were seen to hold nothing any more (the shared zero page is mapped there). */
  public PageSet vacated() {
    return vacated;
  }

  /** Ranges of mappings that were not tracked before this scan: what the server holds there is of something else. */
  public PageSet replaced() {
    return replaced;
  }
}
