package io.pagelift.pageserver.store;

import io.pagelift.store.Place;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who stored a page first: tells what kind of deduplication found it again. Neighbouring pages of one origin are one range, about
 * 100 bytes of memory each; a round that nobody disturbs has one range per object and segment, rounds that take turns with others
 * have one per batch at worst: 100 KiB per stored GiB.
 *
 * <p>Thread-safe. Only figures rest on it, never the contents of pages: a place that it does not know counts as somebody else's.
 */
final class Origins {
  /**
   * One object in one round.
   *
   * @param migration whose round it is
   * @param round number of the round
   * @param objectId what the pages belong to
   */
  record Origin(String migration, int round, long objectId) {}

  /**
   * Neighbouring places of one origin.
   *
   * @param place the first one
   * @param endPlace the one behind the last
   */
  record Range(long place, long endPlace, Origin origin) {
    boolean contains(long other) {
      return other >= place && other < endPlace;
    }
  }

  private final TreeMap<Long, Range> ranges = new TreeMap<>();

  /** Pages were appended, or are found in the manifest of a committed round. */
  synchronized void add(long place, int pageCount, Origin origin) {
    Map.@Nullable Entry<Long, Range> before = ranges.lowerEntry(place);
    if (before != null && before.getValue().endPlace == place && before.getValue().origin.equals(origin)) {
      Range grown = new Range(before.getValue().place, place + pageCount, origin);
      ranges.put(grown.place, grown);
    } else {
      ranges.put(place, new Range(place, place + pageCount, origin));
    }
  }

  /** The range that holds a place; null when nobody knows. */
  synchronized @Nullable Range find(long place) {
    Map.@Nullable Entry<Long, Range> entry = ranges.floorEntry(place);
    return entry != null && entry.getValue().contains(place) ? entry.getValue() : null;
  }

  /** A segment is gone. */
  synchronized void forget(int segment) {
    ranges.subMap(Place.of(segment, 0), Place.of(segment + 1, 0)).clear();
  }

  /** Number of ranges. */
  synchronized int size() {
    return ranges.size();
  }
}
