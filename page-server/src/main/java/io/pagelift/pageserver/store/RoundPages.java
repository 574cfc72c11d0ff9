package io.pagelift.pageserver.store;

import io.pagelift.store.Place;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.store.proto.SegmentReach;
import io.pagelift.store.proto.StoredRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a round in progress uses of the segments: how far it reaches into each, and which pages it appended itself.
 *
 * <p>Belongs to the round's thread, but for the reaches: {@link SegmentLog} writes them under its lock, because who reclaims
 * space must see them as soon as a page is promised to a round.
 */
final class RoundPages {
  /** Ranges that a manifest keeps: 1 MiB of its header. What lies beyond has an unknown origin after a restart, nothing else. */
  private static final int MAX_RANGES = 1 << 16;

  private final Origins origins;
  private final String migration;
  private final int round;
  private final Map<Integer, Integer> reaches = new TreeMap<>();
  private final List<Origins.Range> appended = new ArrayList<>();
  private Origins.@Nullable Range lastFound;
  private Origins.Origin current;
  private boolean reclaiming;

  RoundPages(Origins origins, String migration, int round) {
    this.origins = origins;
    this.migration = migration;
    this.round = round;
    this.current = new Origins.Origin(migration, round, 0);
  }

  /** What is stored is stored to give more space back: the bound of the store does not count. */
  void reclaiming() {
    reclaiming = true;
  }

  boolean bounded() {
    return !reclaiming;
  }

  /** The next batches are of this object. */
  void object(long objectId) {
    if (current.objectId() != objectId) {
      current = new Origins.Origin(migration, round, objectId);
    }
  }

  /** The current batch appended pages. Called under the lock of {@link SegmentLog}. */
  void appended(long place, int pageCount) {
    origins.add(place, pageCount, current);
    int last = appended.size() - 1;
    if (last >= 0 && appended.get(last).endPlace() == place && appended.get(last).origin().equals(current)) {
      appended.set(last, new Origins.Range(appended.get(last).place(), place + pageCount, current));
    } else if (appended.size() < MAX_RANGES) {
      appended.add(new Origins.Range(place, place + pageCount, current));
    }
  }

  /** The round refers to all pages of a batch. Called under the lock of {@link SegmentLog}. */
  void refersTo(PageBatch batch) {
    int segment = 0;
    int reach = 0;
    for (int page = 0; page < batch.pageCount(); page++) {
      long place = batch.place(page);
      if (!Place.isData(place)) {
        continue;
      }
      if (Place.segment(place) != segment) {
        reach(segment, reach);
        segment = Place.segment(place);
        reach = 0;
      }
      reach = Math.max(reach, (int) Place.segmentPage(place) + 1);
    }
    reach(segment, reach);
  }

  /** The round refers to the first pages of a segment. Called under the lock of {@link SegmentLog}. */
  void reach(int segment, int pageCount) {
    if (pageCount > 0) {
      reaches.merge(segment, pageCount, Math::max);
    }
  }

  /** Pages of each segment that must be on disk before the manifest, counted from the segment's beginning. */
  Map<Integer, Integer> reaches() {
    return reaches;
  }

  /** Where a page that was found again had been stored first. */
  Origins.@Nullable Origin origin(long place) {
    Origins.Range found = lastFound;
    if (found == null || !found.contains(place)) {
      found = origins.find(place);
      lastFound = found;
    }
    return found == null ? null : found.origin();
  }

  /** For the manifest. */
  void describe(RoundHeader.Builder header) {
    reaches.forEach((segment, pages) -> header.addReaches(SegmentReach.newBuilder().setSegment(segment).setPageCount(pages)));
    for (Origins.Range range : appended) {
      header.addStored(
          StoredRange.newBuilder()
              .setSegment(Place.segment(range.place()))
              .setFirstPage((int) Place.segmentPage(range.place()))
              .setPageCount((int) (range.endPlace() - range.place()))
              .setObjectId(range.origin().objectId()));
    }
  }
}
