package io.pagelift.dumper.freeze;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.ptrace.Tracee;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The one thread that makes every ptrace call of a freeze.
 *
 * <p>The kernel binds a tracee to the <em>thread</em> that attached, so everything that needs a {@code Tracee} is handed to
 * this thread with {@link #call}. Reading memory and {@code /proc} of a stopped tree needs no tracee and may happen on any
 * thread. When this thread ends, the kernel lets all its tracees go.
 */
public final class TracerThread implements AutoCloseable {
  private static final long IDLE_MILLIS = 1000;
  private static final long STRAGGLER_MILLIS = 2;

  private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
  private final List<Tracee> stragglers = new ArrayList<>();
  private final Thread thread;
  private volatile boolean closing;

  private TracerThread() {
    thread = new Thread(this::loop, "pagelift-tracer");
    thread.setDaemon(true);
  }

  /** A tracer thread that is running and waits for work. */
  public static TracerThread start() {
    TracerThread tracer = new TracerThread();
    tracer.thread.start();
    return tracer;
  }

  /** Whether the caller runs on this very thread. */
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  /**
   * Runs {@code work} on the tracer thread and waits for its result; directly when already on it.
   *
   * @param what names the work in the error when the bound passes
   * @throws PageliftException EXHAUSTED when {@code bound} passes; whatever unchecked exception the work threw
   */
  public <T> T call(String what, Duration bound, Callable<T> work) {
    if (isCurrent()) {
      return callHere(work);
    }
    if (closing) {
      throw new PageliftException(ErrorCategory.INTERNAL, "The tracer thread has ended; cannot " + what + ".");
    }
    CompletableFuture<T> future = new CompletableFuture<>();
    tasks.add(
        () -> {
          try {
            future.complete(work.call());
          } catch (Throwable failure) {
            future.completeExceptionally(failure);
          }
        });
    try {
      return future.get(bound.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException failure) {
      throw rethrow(failure.getCause() == null ? failure : failure.getCause());
    } catch (TimeoutException e) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED, "Gave up after " + bound.toMillis() + " ms: " + what + ".", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while waiting to " + what + ".", e);
    }
  }

  /** {@link #call} without a result. */
  public void run(String what, Duration bound, Runnable work) {
    call(
        what,
        bound,
        () -> {
          work.run();
          return Boolean.TRUE;
        });
  }

  /** Ends the thread after the work that is queued; the kernel then detaches what is still attached. */
  @Override
  public void close() {
    closing = true;
    tasks.add(
        () -> {
          // Nothing to do: it only wakes the loop so that it sees that it is closing.
        });
    if (isCurrent()) {
      return;
    }
    try {
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes a thread that is still attached but has not stopped: it is let go as soon as it stops. On this thread only. */
  void letGoLater(Tracee tracee) {
    stragglers.add(tracee);
  }

  /** Lets go what has stopped since. On this thread only. */
  void letGoStragglers() {
    stragglers.removeIf(HeldThreads::letGo);
  }

  private void loop() {
    while (!closing || !tasks.isEmpty()) {
      try {
        Runnable task = tasks.poll(stragglers.isEmpty() ? IDLE_MILLIS : STRAGGLER_MILLIS, TimeUnit.MILLISECONDS);
        if (task != null) {
          task.run();
        }
        letGoStragglers();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static <T> T callHere(Callable<T> work) {
    try {
      return work.call();
    } catch (Exception failure) {
      throw rethrow(failure);
    }
  }

  private static RuntimeException rethrow(Throwable failure) {
    if (failure instanceof RuntimeException unchecked) {
      return unchecked;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    return new PageliftException(ErrorCategory.INTERNAL, "Work on the tracer thread failed: " + failure, failure);
  }
}
