package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.IndexFormat;
import io.pagelift.store.Place;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.Blob;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads back everything that committed rounds hold: manifests, blobs, and every page that any round refers to, each once,
 * however often it is shared. A second pass over the manifests, only when there is damage, finds who refers to it. Needs two
 * bits of memory per stored page; may run beside a page-server, since committed data never changes.
 */
public final class StoreVerifier {
  /** Sentences kept; more damage is only counted. */
  private static final int MAX_DAMAGES = 1000;

  private static final int PAGES_AT_ONCE = 256;

  private final StoreReader reader;
  private final boolean readData;
  private final PageHash pageHash = PageHash.crc();
  private final List<String> damages = new ArrayList<>();
  private final List<RoundManifest> readable = new ArrayList<>();
  private final Map<Integer, BitSet> referenced = new TreeMap<>();
  private final Map<Integer, Map<Integer, String>> damagedPages = new HashMap<>();
  private final ByteBuffer pages = ByteBuffer.allocateDirect(PAGES_AT_ONCE * StoreLayout.PAGE_BYTES);
  private long damageCount;
  private long migrationCount;
  private long roundCount;
  private long pageCount;

  private StoreVerifier(StoreReader reader, boolean readData) {
    this.reader = reader;
    this.readData = readData;
  }

  /**
   * What was read and what is wrong.
   *
   * @param migrations migrations that were read
   * @param rounds committed rounds
   * @param pages different stored pages that were read and checked
   * @param damageCount damaged things; more than there are sentences when there are very many
   * @param damages one sentence each: what is damaged, and which migration, round, object and address it belongs to
   */
  public record Result(long migrations, long rounds, long pages, long damageCount, List<String> damages) {}

  /** Verifies the store in a directory and reads every page back. Throws a refused error when there is none. */
  public static Result verify(Path directory) {
    return verify(directory, true);
  }

  /**
   * Verifies the store in a directory.
   *
   * @param readData read the pages back too; otherwise only that they are there and have an index entry
   */
  public static Result verify(Path directory, boolean readData) {
    try (StoreReader reader = StoreReader.open(directory)) {
      return new StoreVerifier(reader, readData).run();
    }
  }

  private Result run() {
    for (String name : reader.migrationNames()) {
      verifyMigration(name);
    }
    referenced.forEach(this::verifySegment);
    if (!damagedPages.isEmpty()) {
      readable.forEach(this::nameReferences);
    }
    return new Result(migrationCount, roundCount, pageCount, damageCount, List.copyOf(damages));
  }

  private void verifyMigration(String name) {
    migrationCount++;
    try {
      StoredMigration migration = reader.migration(name);
      for (RoundManifest round : migration.rounds()) {
        roundCount++;
        verifyRound(migration, round);
      }
    } catch (PageliftException e) {
      damage(e.getMessage() + " Migration " + name + " cannot be restored.");
    }
  }

  private void verifyRound(StoredMigration migration, RoundManifest round) {
    int number = round.header().getRound();
    try {
      round.forEachRun((object, firstPage, count, place) -> refer(place, count));
      readable.add(round);
      for (Blob blob : round.header().getBlobsList()) {
        migration.blobFile(number, blob.getName()).check();
      }
    } catch (PageliftException e) {
      damage(e.getMessage() + " It belongs to round " + number + " of migration " + migration.name() + ".");
    }
  }

  private void refer(long place, int count) {
    if (Place.isData(place)) {
      int first = (int) Place.segmentPage(place);
      referenced.computeIfAbsent(Place.segment(place), segment -> new BitSet()).set(first, first + count);
    }
  }

  private void verifySegment(int segment, BitSet wanted) {
    for (int first = wanted.nextSetBit(0); first >= 0; ) {
      int end = Math.min(wanted.nextClearBit(first), first + PAGES_AT_ONCE);
      if (!verifyPages(segment, first, end - first)) {
        for (int single = first; single < end; single++) {
          verifyPages(segment, single, 1);
        }
      }
      pageCount += end - first;
      first = wanted.nextSetBit(end);
    }
  }

  /** Whether these pages are as they were stored; records the damage of a single one. */
  private boolean verifyPages(int segment, int first, int count) {
    try {
      if (!readData) {
        reader.checkDescribed(segment, first, count);
        return true;
      }
      reader.readPages(segment, first, count, pages.clear());
      ByteBuffer entries = reader.indexEntries(segment, first, count);
      for (int i = 0; i < count; i++) {
        int at = i * StoreLayout.PAGE_BYTES;
        int entry = i * IndexFormat.ENTRY_BYTES;
        ByteBuffer page = pages.duplicate().limit(at + StoreLayout.PAGE_BYTES).position(at);
        if (pageHash.hash(page, IndexFormat.pageCrc32c(entries, entry)) != IndexFormat.hash(entries, entry)) {
          throw new PageliftException(
              ErrorCategory.CORRUPT,
              "Page " + (first + i) + " of segment " + segment + " does not have the hash that its index entry says.");
        }
      }
      return true;
    } catch (PageliftException e) {
      if (count == 1) {
        damageCount++;
        damagedPages.computeIfAbsent(segment, number -> new HashMap<>()).put(first, String.valueOf(e.getMessage()));
      }
      return false;
    }
  }

  private void nameReferences(RoundManifest round) {
    round.forEachRun(
        (object, firstPage, count, place) -> {
          Map<Integer, String> damaged = damagedPages.get(Place.segment(place));
          if (Place.isData(place) && damaged != null) {
            int first = (int) Place.segmentPage(place);
            for (int i = 0; i < count; i++) {
              String what = damaged.get(first + i);
              if (what != null && damages.size() < MAX_DAMAGES) {
                damages.add(what + reference(round, object, firstPage + i));
              }
            }
          }
        });
  }

  private static String reference(RoundManifest round, long object, long page) {
    return String.format(
        Locale.ROOT,
        " It is page 0x%x (byte 0x%x) of object %d in round %d of migration %s.",
        page,
        page * StoreLayout.PAGE_BYTES,
        object,
        round.header().getRound(),
        round.header().getMigration());
  }

  private void damage(String sentence) {
    damageCount++;
    if (damages.size() < MAX_DAMAGES) {
      damages.add(sentence);
    }
  }
}
