package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.Place;
import io.pagelift.store.PlaceRuns;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoredMigration;
import java.io.IOException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Gives the space of pages that nobody can ask for any more back to the file system, while the store serves.
 *
 * <p>Mark: what is held of every migration, merged over its rounds, is alive; superseded pages are not, although the manifests of
 * earlier rounds still name them. Segments of which less than half is alive are <em>victims</em>. The store stops referring to a
 * victim first: it is not offered for deduplication any more. A victim that a round in progress or an open migration refers to
 * is let go.
 *
 * <p>Sweep: the living pages of the victims are stored again like any others, in the order of their addresses, which mends
 * locality on the way. Then each migration that names a victim gets its last manifest anew, <em>whole</em>: it names everything
 * that is held, so that earlier rounds do not count, and these lose their runs. Only when no manifest on disk names a victim any
 * more is its file deleted. Every step is forced before the next one, so a crash leaves both copies or only the new one:
 * recovery needs to know nothing of all this.
 */
final class GarbageCollection {
  private final DirectoryPageStore store;
  private final SegmentLog segments;
  private final Set<String> claimed = new HashSet<>();
  private final Set<String> inUse = new TreeSet<>();
  private long pagesMoved;
  private long bytesFreed;
  private int segmentsDropped;

  private GarbageCollection(DirectoryPageStore store) {
    this.store = store;
    this.segments = store.segments();
  }

  /** Collects the garbage of a store; one collection at a time is the caller's care. */
  static Reclaimed run(DirectoryPageStore store) {
    store.storage().checkTrusted();
    GarbageCollection collection = new GarbageCollection(store);
    int before = store.segments().numbers().size();
    try {
      // Dead segments first: they give room to move what lives in the others.
      collection.collect(true);
      collection.collect(false);
    } catch (IOException e) {
      throw store.writeFailed(e);
    }
    return new Reclaimed(
        before,
        collection.segmentsDropped,
        collection.pagesMoved,
        collection.bytesFreed - collection.pagesMoved * Segment.BYTES_PER_PAGE,
        List.copyOf(collection.inUse));
  }

  private void collect(boolean onlyDead) throws IOException {
    Set<Integer> victims = segments.retire(choose(onlyDead));
    try {
      claim(victims);
      for (String name : claimed) {
        rewrite(name, victims);
      }
      drop(victims);
    } finally {
      claimed.forEach(store.uses()::release);
      claimed.clear();
      segments.unretire(victims);
    }
  }

  /** Segments with no living page, or with more dead ones than living. */
  private Set<Integer> choose(boolean onlyDead) {
    Map<Integer, BitSet> living = new HashMap<>();
    for (String name : store.reader().migrationNames()) {
      migration(name).places().values().forEach(places -> mark(places, living));
    }
    Set<Integer> victims = new TreeSet<>();
    segments
        .numbers()
        .forEach(
            (number, pageCount) -> {
              int alive = living.getOrDefault(number, new BitSet()).cardinality();
              if (pageCount > 0 && (onlyDead ? alive == 0 : alive < pageCount / 2)) {
                victims.add(number);
              }
            });
    return victims;
  }

  private static void mark(PlaceRuns places, Map<Integer, BitSet> living) {
    for (int run = 0; run < places.size(); run++) {
      if (places.segment(run) != PlaceRuns.ZERO_SEGMENT) {
        int first = (int) places.segmentPage(run);
        living.computeIfAbsent(places.segment(run), segment -> new BitSet()).set(first, first + places.pageCount(run));
      }
    }
  }

  /** A migration that cannot be read may refer to anything: then nothing is reclaimed. */
  private StoredMigration migration(String name) {
    try {
      return store.reader().migration(name);
    } catch (PageliftException e) {
      throw new PageliftException(
          e.category(),
          "Nothing is reclaimed, because nobody knows what migration '" + name + "' refers to: " + e.getMessage()
              + " Mend it, or remove it with 'page-server rm --force " + name + "'.",
          e);
    }
  }

  /** Takes every migration that names a victim; a victim that an open migration names is let go. */
  private void claim(Set<Integer> victims) {
    Set<Integer> spared = new HashSet<>();
    for (String name : store.reader().migrationNames()) {
      boolean mine = store.uses().claim(name);
      Set<Integer> named = named(migration(name));
      named.retainAll(victims);
      if (mine && !named.isEmpty()) {
        claimed.add(name);
      } else if (mine) {
        store.uses().release(name);
      } else if (!named.isEmpty()) {
        inUse.add(name);
        spared.addAll(named);
      }
    }
    segments.unretire(spared);
    victims.removeAll(spared);
  }

  /** The segments that any manifest of a migration names. */
  private static Set<Integer> named(StoredMigration migration) {
    Map<Integer, Integer> reaches = new TreeMap<>();
    for (RoundManifest round : migration.rounds()) {
      Recovery.reaches(round, reaches);
    }
    return new TreeSet<>(reaches.keySet());
  }

  private void rewrite(String name, Set<Integer> victims) throws IOException {
    StoredMigration migration = migration(name);
    Set<Integer> named = named(migration);
    named.retainAll(victims);
    if (named.isEmpty() || migration.lastRound() == 0) {
      return;
    }
    pagesMoved += new ManifestRewrite(store, migration, victims).run();
  }

  private void drop(Set<Integer> victims) throws IOException {
    Set<Integer> left = new HashSet<>(victims);
    for (String name : store.reader().migrationNames()) {
      left.removeAll(named(migration(name)));
    }
    left.removeAll(segments.reachesInProgress());
    for (int number : left) {
      store.reader().forget(number);
      bytesFreed += segments.drop(number);
      segmentsDropped++;
    }
    store.storage().forceDirectory(store.layout().segmentsDirectory());
    if (left.size() < victims.size()) {
      throw new PageliftException(
          ErrorCategory.INTERNAL, "Segments " + victims + " were to be given back, but only " + left + " are free; the others stay.");
    }
  }
}
