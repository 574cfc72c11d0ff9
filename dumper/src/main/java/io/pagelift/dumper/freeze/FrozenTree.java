package io.pagelift.dumper.freeze;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.time.Duration;
import java.util.List;

/**
 * A process tree in which every thread is stopped, until {@link #thaw()}.
 *
 * <p>May be used from any thread: what needs ptrace runs on the {@link TracerThread} that froze it. Always close it; a tree
 * whose tracer dies is let go by the kernel and goes on by itself.
 */
public final class FrozenTree implements AutoCloseable {
  private final TracerThread tracer;
  private final List<FrozenProcess> processes;

  private FrozenTree(TracerThread tracer, List<FrozenProcess> processes) {
    this.tracer = tracer;
    this.processes = processes;
  }

  /**
   * Stops every thread of {@code rootPid} and of its descendants, again and again until nothing new appears.
   *
   * @param bound how long the freeze may take in all; the tree runs on when it passes
   * @throws PageliftException REFUSED when the root is gone, is traced by somebody else, or may not be traced; EXHAUSTED when
   *     a thread does not stop in time (it is in an uninterruptible call); the tree is thawed then
   */
  public static FrozenTree freeze(TracerThread tracer, int rootPid, Duration bound) {
    if (rootPid > 0) {
      throw new PageliftException(
          ErrorCategory.INTERNAL, "Freezing is not there yet: " + rootPid + " " + bound.toMillis() + " ms.");
    }
    return new FrozenTree(tracer, List.of());
  }

  /** The tracer thread that holds the tree. */
  public TracerThread tracer() {
    return tracer;
  }

  /** Parents before children; the root first; zombies included. */
  public List<FrozenProcess> processes() {
    return processes;
  }

  /** The root of the tree. */
  public FrozenProcess root() {
    return processes.get(0);
  }

  /** Lets every thread go on where it was; stopped processes stay stopped. May be called more than once. */
  public void thaw() {}

  /** The same as {@link #thaw()}. */
  @Override
  public void close() {
    thaw();
  }
}
