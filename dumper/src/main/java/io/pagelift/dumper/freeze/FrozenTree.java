package io.pagelift.dumper.freeze;

import io.pagelift.common.PageliftException;
import io.pagelift.linux.Deadline;
import java.time.Duration;
import java.util.List;

/**
 * A process tree in which every thread is stopped, until {@link #thaw()}.
 *
 * <p>May be used from any thread: what needs ptrace runs on the {@link TracerThread} that froze it. Always close it; a tree
 * whose tracer dies is let go by the kernel and goes on by itself.
 */
public final class FrozenTree implements AutoCloseable {
  private static final Duration THAW_BOUND = Duration.ofSeconds(30);

  private final TracerThread tracer;
  private final HeldThreads held;
  private final List<FrozenProcess> processes;
  private final SleepSamples samples;
  private final FreezeTimes times;
  private volatile boolean heldBeyondTracer;

  FrozenTree(
      TracerThread tracer,
      HeldThreads held,
      List<FrozenProcess> processes,
      SleepSamples samples,
      FreezeTimes times) {
    this.tracer = tracer;
    this.held = held;
    this.processes = processes;
    this.samples = samples;
    this.times = times;
  }

  /**
   * Stops every thread of {@code rootPid} and of its descendants, again and again until nothing new appears.
   *
   * @param bound how long the freeze may take in all; the tree runs on when it passes
   * @throws PageliftException REFUSED when the root is gone, is traced by somebody else, or may not be traced; EXHAUSTED when
   *     a thread does not stop in time (it is in an uninterruptible call); the tree is thawed then
   */
  public static FrozenTree freeze(TracerThread tracer, int rootPid, Duration bound) {
    return freeze(tracer, rootPid, bound, false);
  }

  /**
   * The same for a dump: shortly before each attempt it notes since when the threads sleep, so that the rest of an interrupted
   * sleep can be told.
   */
  public static FrozenTree freezeForDump(TracerThread tracer, int rootPid, Duration bound) {
    return freeze(tracer, rootPid, bound, true);
  }

  private static FrozenTree freeze(TracerThread tracer, int rootPid, Duration bound, boolean sampleSleeps) {
    // The wait is longer than the freeze's own bound, so that it is the freeze that gives up, cleanly.
    return tracer.call(
        "freeze the tree of process " + rootPid,
        bound.plus(THAW_BOUND),
        () -> new TreeFreezer(tracer, rootPid, sampleSleeps).freeze(Deadline.in(bound)));
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

  /** What the clocks said. */
  public FreezeTimes times() {
    return times;
  }

  /** Since when the threads slept, as far as it was looked at. */
  public SleepSamples samples() {
    return samples;
  }

  /**
   * Makes the tree stay stopped when the tracer dies, until it is let go or killed here, or continued with SIGCONT by somebody else.
   */
  public void hold() {
    heldBeyondTracer = true;
    tracer.run("hold the tree", THAW_BOUND, () -> held.hold(processes));
  }

  /** Lets every thread go on where it was; stopped processes stay stopped. May be called more than once. */
  public void thaw() {
    tracer.run("let the tree go", THAW_BOUND, () -> held.letGo(tracer));
    heldBeyondTracer = false;
  }

  /**
   * Kills every process of the tree and waits until the threads are gone. The processes are zombies then, for their parents to
   * collect: the root's parent is outside, the others' fall to the reaper.
   */
  public void kill() {
    tracer.run("end the tree", THAW_BOUND, () -> held.kill(processes, Deadline.in(THAW_BOUND)));
  }

  /**
   * Lets the tree go unless it is held: a failure must not wake a tree whose copy may live elsewhere. A held tree stays stopped when its
   * tracer ends.
   */
  @Override
  public void close() {
    if (!heldBeyondTracer) {
      thaw();
    }
  }
}
