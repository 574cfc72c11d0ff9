package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageChecksums;
import io.pagelift.common.PageliftException;
import io.pagelift.store.IndexFormat;
import io.pagelift.store.Place;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreFile;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Rebuilds what the rest of a store proves: the file STORE, the head of an index, and an index entry that is damaged in one of its
 * fields while another still fits the page. A page is never changed, and an entry that nothing proves is never made up: it would
 * turn a damaged page into one that looks whole.
 *
 * <p>A mended file is written beside the old one, forced, and renamed over it.
 */
public final class StoreRepair {
  private final StoreLayout layout;
  private final StableStorage storage;
  private final List<String> repaired = new ArrayList<>();

  private StoreRepair(StoreLayout layout) {
    this.layout = layout;
    this.storage = new StableStorage(layout, Durability.FULL, StoreStep.Watch.NONE);
  }

  /**
   * What was done.
   *
   * @param repaired one sentence for each thing that was rebuilt
   * @param remainingCount damages that stay
   * @param remaining a sentence for each of them, unless there are very many
   */
  public record Result(List<String> repaired, long remainingCount, List<String> remaining) {}

  /** Repairs the store in a directory that no server uses; throws a refused error when one does, or when it is no store. */
  public static Result run(Path directory) {
    StoreLayout layout = new StoreLayout(directory);
    if (!Files.isDirectory(layout.segmentsDirectory()) || !Files.isDirectory(layout.migrationsDirectory())) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The directory " + directory + " has no 'segments' and 'migrations': nothing of it can be derived; give the directory of a"
              + " page-server by --store.");
    }
    StoreRepair repair = new StoreRepair(layout);
    try {
      StoreLock lock = StoreLock.take(layout);
      try {
        repair.repairStoreFile();
        repair.repairIndexes();
      } finally {
        lock.close();
      }
    } catch (IOException e) {
      throw WriteErrors.cannotOpen(layout, e);
    }
    StoreVerifier.Result left = StoreVerifier.verify(directory);
    return new Result(List.copyOf(repair.repaired), left.damageCount(), left.damages());
  }

  private void repairStoreFile() throws IOException {
    try {
      StoreFile.check(layout);
    } catch (PageliftException e) {
      if (e.category() == ErrorCategory.REFUSED && Files.exists(layout.storeFile())) {
        throw e; // another version wrote it: nothing is damaged
      }
      replace(layout.storeFile(), StoreFile.bytes());
      repaired.add("Rebuilt " + layout.storeFile() + ".");
    }
  }

  private void repairIndexes() throws IOException {
    Map<Integer, BitSet> referenced = new TreeMap<>();
    try (StoreReader reader = StoreReader.open(layout.directory())) {
      for (String name : reader.migrationNames()) {
        refer(reader, name, referenced);
      }
    }
    for (Map.Entry<Integer, BitSet> entry : referenced.entrySet()) {
      if (Files.exists(layout.segmentFile(entry.getKey())) && Files.exists(layout.indexFile(entry.getKey()))) {
        repairIndex(entry.getKey(), entry.getValue());
      }
    }
  }

  private static void refer(StoreReader reader, String name, Map<Integer, BitSet> referenced) {
    try {
      for (RoundManifest round : reader.migration(name).rounds()) {
        round.forEachRun(
            (object, firstPage, pageCount, place) -> {
              if (Place.isData(place)) {
                int first = (int) Place.segmentPage(place);
                referenced.computeIfAbsent(Place.segment(place), segment -> new BitSet()).set(first, first + pageCount);
              }
            });
      }
    } catch (PageliftException e) {
      // The verifier names it afterwards.
    }
  }

  private void repairIndex(int segment, BitSet referenced) throws IOException {
    Path file = layout.indexFile(segment);
    ByteBuffer index = IndexFormat.allocate(referenced.length() + 1);
    try (FileChannel old = PrivateFiles.openForWriting(file)) {
      while (index.hasRemaining() && old.read(index, index.position()) >= 0) {
        // A regular file: this ends at its end; what is missing stays zero.
      }
    }
    index.clear();
    ByteBuffer head = IndexFormat.head(segment);
    boolean headWhole = index.slice(0, IndexFormat.ENTRY_BYTES).equals(head);
    index.put(0, head, 0, IndexFormat.ENTRY_BYTES);
    int mended = 0;
    try (FileChannel pages = PrivateFiles.openForWriting(layout.segmentFile(segment))) {
      for (int page = referenced.nextSetBit(0); page >= 0; page = referenced.nextSetBit(page + 1)) {
        int at = (int) IndexFormat.offsetBytes(page);
        mended += !IndexFormat.isWhole(index, at) && mend(index, at, pages, page) ? 1 : 0;
      }
    }
    if (headWhole && mended == 0) {
      return;
    }
    replace(file, index);
    repaired.add("Rebuilt " + (headWhole ? "" : "the head and ") + mended + " entries of " + file + ".");
  }

  /** Writes an entry anew when one of its fields fits the page as it lies on disk. */
  private static boolean mend(ByteBuffer index, int at, FileChannel pages, int page) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(StoreLayout.PAGE_BYTES);
    while (bytes.hasRemaining() && pages.read(bytes, (long) page * StoreLayout.PAGE_BYTES + bytes.position()) >= 0) {
      // As above.
    }
    if (bytes.hasRemaining()) {
      return false;
    }
    int crc32c = PageChecksums.of(bytes.flip())[0];
    long hash = PageHash.crc().hash(bytes.duplicate(), crc32c);
    if (IndexFormat.hash(index, at) != hash && IndexFormat.pageCrc32c(index, at) != crc32c) {
      return false;
    }
    index.position(at);
    IndexFormat.put(index, hash, crc32c);
    index.position(0);
    return true;
  }

  private void replace(Path file, ByteBuffer contents) throws IOException {
    Path part = StoreLayout.partOf(file);
    try (FileChannel channel = PrivateFiles.create(part)) {
      PrivateFiles.writeFully(channel, contents, 0);
      storage.force(channel, part, true);
    }
    PrivateFiles.rename(part, file);
    storage.forceDirectory(file.resolveSibling("."));
  }
}
