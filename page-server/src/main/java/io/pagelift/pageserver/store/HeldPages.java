package io.pagelift.pageserver.store;

import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.store.PlaceRuns;
import java.util.AbstractList;
import java.util.RandomAccess;

/** The merged view of an object in the shapes that sessions send. */
final class HeldPages {
  private HeldPages() {}

  /** The pages without their places. */
  static PageRuns of(PlaceRuns places) {
    PageRuns.Builder builder = new PageRuns.Builder();
    for (int run = 0; run < places.size(); run++) {
      builder.add(places.firstPage(run), places.firstPage(run) + places.pageCount(run));
    }
    return builder.build();
  }

  /** A list that makes each element when it is asked for: a view may have a million runs. */
  static final class PlaceList extends AbstractList<PagePlace> implements RandomAccess {
    private final PlaceRuns places;

    PlaceList(PlaceRuns places) {
      this.places = places;
    }

    @Override
    public PagePlace get(int run) {
      return new PagePlace(places.firstPage(run), places.pageCount(run), places.segment(run), places.segmentPage(run));
    }

    @Override
    public int size() {
      return places.size();
    }
  }
}
