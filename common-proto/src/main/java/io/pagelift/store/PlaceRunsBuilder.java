package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Merges runs into the view of what is held: the newest run wins, a dropped page is held no longer.
 *
 * <p>Runs come in order of time and mostly ascending by page, since a dumper scans address spaces upwards. So the algorithm
 * is a natural merge sort that respects time: ascending runs are collected into a <em>stretch</em>; a run that does not
 * ascend begins the next one. Finished stretches go on a stack; two neighbours on it are merged (the younger wins) as soon as
 * the older is less than twice as long. That bounds the stack to a logarithm, the memory to twice the result and the work to
 * n log n for any order of arrival, and costs one linear pass for the usual one. Dropped pages must stay as markers until the
 * end, because they hide pages of stretches further down.
 */
public final class PlaceRunsBuilder {
  private final int maxRuns;
  private final Deque<RunArray> stretches = new ArrayDeque<>();
  private RunArray current = new RunArray();

  /**
   * An empty view.
   *
   * @param maxRuns bound of the runs of the view, dropped pages included; more are an exhausted error
   */
  public PlaceRunsBuilder(int maxRuns) {
    this.maxRuns = maxRuns;
  }

  /** Adds a run that is newer than all added before. Values are those of {@link RunSink#run}. */
  public void add(long firstPage, int pageCount, long place) {
    if (firstPage < current.endPage()) {
      push();
    }
    current.append(firstPage, pageCount, place);
    checkBound(current);
  }

  /** The merged view; the builder is empty afterwards. */
  public PlaceRuns build() {
    push();
    RunArray merged = new RunArray();
    while (!stretches.isEmpty()) {
      merged = merge(stretches.pop(), merged);
    }
    return new PlaceRuns(merged.withoutDrops());
  }

  private void push() {
    RunArray younger = current;
    current = new RunArray();
    if (younger.size() == 0) {
      return;
    }
    while (!stretches.isEmpty() && stretches.element().size() < 2L * younger.size()) {
      younger = merge(stretches.pop(), younger);
    }
    stretches.push(younger);
  }

  private RunArray merge(RunArray older, RunArray younger) {
    if (older.size() == 0) {
      return younger;
    }
    if (younger.size() == 0) {
      return older;
    }
    RunArray merged = RunArray.merge(older, younger);
    checkBound(merged);
    return merged;
  }

  private void checkBound(RunArray runs) {
    if (runs.size() > maxRuns) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED,
          "An object's pages lie in more than " + maxRuns + " pieces; begin a new --name, its first round is whole again.");
    }
  }
}
