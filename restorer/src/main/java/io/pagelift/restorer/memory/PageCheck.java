package io.pagelift.restorer.memory;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.restorer.source.ImageSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Compares the pages that rebuilt processes read by themselves with their checksums, in a thread of its own beside the
 * rebuilding. {@link #await} must pass before any of the processes runs.
 */
public final class PageCheck implements AutoCloseable {
  private static final long BOUND_MINUTES = 30;

  private final ImageSource source;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "page-check");
            made.setDaemon(true);
            return made;
          });
  private final List<Future<?>> running = new ArrayList<>();

  /** Checks pages of this source. */
  public PageCheck(ImageSource source) {
    this.source = source;
  }

  /** Begins to check these pages, which do not change any more. */
  void begin(PlaceList places) {
    running.add(
        thread.submit(
            () -> {
              for (int i = 0; i < places.size(); i++) {
                source.check(places.place(i));
              }
            }));
  }

  /** Waits until all are checked. @throws PageliftException CORRUPT for a damaged page, which it names */
  public void await() {
    try {
      for (Future<?> check : running) {
        check.get(BOUND_MINUTES, TimeUnit.MINUTES);
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PageliftException failure) {
        throw failure;
      }
      throw new IllegalStateException("checking pages failed", e.getCause());
    } catch (TimeoutException e) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED, "The pages could not be checked within " + BOUND_MINUTES + " minutes; is the disk well?", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while the pages were checked.", e);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
