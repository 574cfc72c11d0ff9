package io.pagelift.dumper.memory;

import io.pagelift.common.PageRuns;

/**
 * One address space on its way to the server, over several rounds: which process lives in it, under which object id its pages
 * are stored, what the server holds of it, and who knows what was written.
 */
public final class TrackedSpace implements AutoCloseable {
  private final int pid;
  private final long startTimeTicks;
  private final long objectId;
  private final DirtyTracker tracker;
  private final PageSet held;

  /**
   * An address space.
   *
   * @param held what the server holds under {@code objectId} since tracking began; empty when nothing counts
   */
  public TrackedSpace(int pid, long startTimeTicks, long objectId, DirtyTracker tracker, PageRuns held) {
    this.pid = pid;
    this.startTimeTicks = startTimeTicks;
    this.objectId = objectId;
    this.tracker = tracker;
    this.held = new PageSet();
    held.forEach(this.held::add);
  }

  /** A process that lives in it. */
  public int pid() {
    return pid;
  }

  /** The start time of that process, which tells it from a later one with the same pid. */
  public long startTimeTicks() {
    return startTimeTicks;
  }

  /** The id of its pages in the store. */
  public long objectId() {
    return objectId;
  }

  /** Its dirty tracker. */
  public DirtyTracker tracker() {
    return tracker;
  }

  /** The pages that the server holds, once the round that sent them is committed; a pass changes it. */
  PageSet held() {
    return held;
  }

  @Override
  public void close() {
    tracker.close();
  }
}
