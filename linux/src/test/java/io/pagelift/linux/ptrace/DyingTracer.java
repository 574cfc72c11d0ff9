package io.pagelift.linux.ptrace;

import io.pagelift.linux.Deadline;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A tracing thread that ends in the middle of its work.
 *
 * <p>To the kernel a tracer is a thread: when it ends, its tracees are let go exactly as when its whole process is killed.
 */
public final class DyingTracer {
  private DyingTracer() {}

  /** What is done to the target. */
  @FunctionalInterface
  public interface Work {
    /** Does it with a stopped tracee. */
    void on(Tracee tracee);
  }

  private static final class Death extends Error {
    private static final long serialVersionUID = 1;

    Death() {
      super("the tracer's planned death", null, false, false);
    }
  }

  /**
   * Seizes a thread, stops it, does the work, and dies after a number of ptrace requests.
   *
   * @param requests after how many requests; the first two are SEIZE and INTERRUPT
   * @return whether it died before the work was finished
   */
  public static boolean run(int pid, int tid, int requests, Work work) throws InterruptedException {
    AtomicInteger left = new AtomicInteger(requests);
    Throwable[] outcome = {null};
    Thread tracer =
        new Thread(
            () -> {
              try {
                Tracee tracee = Tracee.seize(pid, tid, PtraceOptions.LIVING);
                tracee.afterEachRequest(() -> step(left));
                step(left);
                tracee.interrupt();
                ProcessThreads.stopped(tracee, Deadline.inMillis(30_000));
                work.on(tracee);
                tracee.detach(0);
              } catch (Throwable t) {
                outcome[0] = t;
              }
            },
            "dying tracer");
    tracer.start();
    tracer.join();
    if (outcome[0] != null && !(outcome[0] instanceof Death)) {
      throw new AssertionError("the tracer failed by itself", outcome[0]);
    }
    return outcome[0] != null;
  }

  /** What ends the tracing thread here and now when {@link Work} throws it. */
  public static Error death() {
    return new Death();
  }

  private static void step(AtomicInteger left) {
    if (left.decrementAndGet() == 0) {
      throw new Death();
    }
  }
}
