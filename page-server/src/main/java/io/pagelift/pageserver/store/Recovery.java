package io.pagelift.pageserver.store;

import io.pagelift.common.PageliftException;
import io.pagelift.store.IndexFormat;
import io.pagelift.store.ManifestFormat;
import io.pagelift.store.Place;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreErrors;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.Blob;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.store.proto.SegmentReach;
import io.pagelift.store.proto.StoredRange;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Brings a store back to its last committed state when it is opened.
 *
 * <p>The manifests are the truth. Whatever no manifest refers to was never acknowledged: temporary files, blobs without a
 * round, and the tail of a segment behind the last page that any round refers to. That tail may not have reached the disk, so
 * it is cut off rather than offered for deduplication.
 *
 * <p>Only the heads of the manifests are read, which say how far a round reaches into each segment, and as much of the indexes,
 * newest first, as the deduplication table can remember. What a process found under its name may still be in the page cache
 * only, when the one before it was killed between giving the name and forcing the directory; so every directory is forced
 * before anything is built on what it shows.
 *
 * <p>When a manifest is damaged, nobody knows what it refers to. Then nothing of any segment is cut off or overwritten: new
 * pages go to a new segment, the other migrations stay usable, and the damage is reported.
 */
final class Recovery {
  private final StoreReader reader;
  private final StoreLayout layout;
  private final StableStorage storage;
  private final DedupTable table;
  private final Origins origins;
  private final List<String> findings = new ArrayList<>();
  private final Map<Integer, Integer> referencedPages = new HashMap<>();
  private final TreeMap<Integer, Segment> segments = new TreeMap<>();
  private final Set<Integer> unforced = new HashSet<>();
  private boolean damaged;
  private int highestSegment;

  private Recovery(StoreReader reader, StableStorage storage, DedupTable table, Origins origins) {
    this.reader = reader;
    this.layout = reader.layout();
    this.storage = storage;
    this.table = table;
    this.origins = origins;
  }

  /** Recovers the store, fills the deduplication table and tells where its pages came from. */
  static Recovery run(StoreReader reader, StableStorage storage, DedupTable table, Origins origins) throws IOException {
    Recovery recovery = new Recovery(reader, storage, table, origins);
    StoreLayout layout = recovery.layout;
    PrivateFiles.makeDirectory(layout.segmentsDirectory());
    PrivateFiles.makeDirectory(layout.migrationsDirectory());
    storage.forceDirectory(layout.directory().toAbsolutePath().resolve(".."));
    storage.forceDirectory(layout.directory());
    storage.forceDirectory(layout.migrationsDirectory());
    for (Path removed : RemovedMigrations.deleteAll(layout)) {
      recovery.findings.add("Dropped " + removed + ", which was being removed.");
    }
    for (String name : reader.migrationNames()) {
      storage.forceDirectory(layout.migrationDirectory(name));
      recovery.recoverMigration(name);
    }
    recovery.recoverSegments();
    storage.forceDirectory(layout.segmentsDirectory());
    recovery.loadIndexes();
    return recovery;
  }

  /** Sentences for the log: what was dropped, what is damaged. Empty after a clean end. */
  List<String> findings() {
    return findings;
  }

  /** The segments that hold committed pages, open, by number. */
  Map<Integer, Segment> segments() {
    return segments;
  }

  /** The segment that goes on being filled; null when a new one must begin. */
  @Nullable Segment activeSegment() {
    return damaged ? null : segments.get(highestSegment);
  }

  /** Number of the next new segment. */
  int nextSegment() {
    return highestSegment + 1;
  }

  private void recoverMigration(String name) throws IOException {
    try {
      StoredMigration migration = reader.migration(name);
      Map<Integer, Integer> referenced = new HashMap<>();
      for (RoundManifest round : migration.rounds()) {
        reaches(round, referenced);
        forceLate(name, round);
      }
      migration.rounds().forEach(this::originsOf);
      referenced.forEach((segment, pages) -> referencedPages.merge(segment, pages, Math::max));
      dropRemains(name, migration.lastRound());
    } catch (PageliftException e) {
      damaged = true;
      findings.add("Migration " + name + " cannot be used, the others can: " + e.getMessage());
    }
  }

  /** How far a round reaches into each segment: its head says it, in manifests of older versions only its runs do. */
  static void reaches(RoundManifest round, Map<Integer, Integer> referenced) {
    if (round.header().getReachesCount() == 0) {
      round.forEachRun((object, firstPage, pageCount, place) -> refer(referenced, place, pageCount));
    }
    for (SegmentReach reach : round.header().getReachesList()) {
      if (reach.getSegment() < 1 || reach.getPageCount() < 1 || reach.getPageCount() > ManifestFormat.MAX_SEGMENT_PAGES) {
        throw StoreErrors.corrupt(round.file(), "it reaches page " + reach.getPageCount() + " of segment " + reach.getSegment());
      }
      referenced.merge(reach.getSegment(), reach.getPageCount(), Math::max);
    }
  }

  /** Forces a round that a server with durability NONE has left behind, when this one promises more. */
  private void forceLate(String name, RoundManifest round) throws IOException {
    RoundHeader header = round.header();
    if (header.getCounts().getDurability() != Durability.NONE || storage.durability() == Durability.NONE) {
      return;
    }
    header.getReachesList().forEach(reach -> unforced.add(reach.getSegment()));
    for (Blob blob : header.getBlobsList()) {
      forceFile(layout.blobFile(name, header.getRound(), blob.getName()));
    }
    forceFile(round.file());
  }

  private void forceFile(Path file) throws IOException {
    if (Files.exists(file)) {
      try (FileChannel channel = PrivateFiles.openForWriting(file)) {
        storage.force(channel, file, true);
      }
    }
  }

  private void originsOf(RoundManifest round) {
    RoundHeader header = round.header();
    for (StoredRange range : header.getStoredList()) {
      if (range.getSegment() > 0 && range.getFirstPage() >= 0 && range.getPageCount() > 0) {
        origins.add(
            Place.of(range.getSegment(), range.getFirstPage()), range.getPageCount(),
            new Origins.Origin(header.getMigration(), header.getRound(), range.getObjectId()));
      }
    }
  }

  private static void refer(Map<Integer, Integer> referenced, long place, int pageCount) {
    if (Place.isData(place)) {
      referenced.merge(Place.segment(place), (int) Place.segmentPage(place) + pageCount, Math::max);
    }
  }

  /** Removes temporary files and blobs of rounds that were not committed. */
  private void dropRemains(String name, int lastRound) throws IOException {
    int before = findings.size();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(layout.migrationDirectory(name))) {
      for (Path file : files) {
        OptionalInt round = StoreLayout.blobRound(file);
        boolean part = String.valueOf(file.getFileName()).endsWith(StoreLayout.PART_SUFFIX);
        if (part || (round.isPresent() && round.getAsInt() > lastRound)) {
          Files.delete(file);
          findings.add("Dropped " + file + ", which belongs to a round that was never acknowledged.");
        }
      }
    }
    if (findings.size() > before) {
      storage.forceDirectory(layout.migrationDirectory(name));
    }
  }

  private void recoverSegments() throws IOException {
    TreeSet<Integer> numbers = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(layout.segmentsDirectory())) {
      for (Path file : files) {
        StoreLayout.segmentNumber(file).ifPresent(numbers::add);
        StoreLayout.indexNumber(file).ifPresent(numbers::add);
      }
    }
    for (int number : numbers) {
      int referenced = referencedPages.getOrDefault(number, 0);
      if (referenced == 0 && !damaged) {
        dropSegment(number);
      } else {
        highestSegment = number;
        recoverSegment(number, referenced);
      }
    }
    for (int number : referencedPages.keySet()) {
      if (!numbers.contains(number)) {
        damaged = true;
        highestSegment = Math.max(highestSegment, number);
        findings.add("Segment " + number + " is missing, rounds refer to it; 'page-server verify' tells which.");
      }
    }
  }

  private void dropSegment(int number) throws IOException {
    Path pages = layout.segmentFile(number);
    if (holds(pages, 1)) {
      findings.add("Dropped segment " + number + ", which no committed round refers to.");
    }
    Files.deleteIfExists(pages);
    Files.deleteIfExists(layout.indexFile(number));
  }

  private void recoverSegment(int number, int referenced) throws IOException {
    Path pages = layout.segmentFile(number);
    Path index = layout.indexFile(number);
    if (!holds(pages, (long) referenced * StoreLayout.PAGE_BYTES) || !holds(index, IndexFormat.offsetBytes(referenced))) {
      damaged = true;
      findings.add("Segment " + number + " is shorter than what rounds refer to; 'page-server verify' tells which.");
      return;
    }
    if (referenced == 0) {
      return;
    }
    if (!damaged) {
      cut(pages, (long) referenced * StoreLayout.PAGE_BYTES);
      cut(index, IndexFormat.offsetBytes(referenced));
    }
    if (unforced.contains(number)) {
      forceFile(pages);
      forceFile(index);
    }
    segments.put(number, Segment.reopen(layout, storage, number, referenced));
  }

  /** Newest segments first, until the table is full: older pages would only be stored again. */
  private void loadIndexes() throws IOException {
    long room = table.capacity();
    for (int number : segments.descendingKeySet()) {
      int pageCount = referencedPages.getOrDefault(number, 0);
      if (room < pageCount) {
        return;
      }
      loadIndex(number, layout.indexFile(number), pageCount);
      room -= pageCount;
    }
  }

  private static boolean holds(Path file, long lengthBytes) throws IOException {
    return Files.exists(file) && Files.size(file) >= lengthBytes;
  }

  private void cut(Path file, long lengthBytes) throws IOException {
    long before = Files.size(file);
    if (before > lengthBytes) {
      try (FileChannel channel = PrivateFiles.openForWriting(file)) {
        channel.truncate(lengthBytes);
      }
      findings.add("Dropped " + (before - lengthBytes) + " bytes at the end of " + file + " that were never acknowledged.");
    }
  }

  private void loadIndex(int number, Path index, int pageCount) throws IOException {
    ByteBuffer entries = IndexFormat.allocate(4096);
    try (FileChannel channel = PrivateFiles.openForWriting(index)) {
      for (int first = 0; first < pageCount; ) {
        int count = Math.min(pageCount - first, entries.capacity() / IndexFormat.ENTRY_BYTES);
        entries.clear().limit(count * IndexFormat.ENTRY_BYTES);
        while (entries.hasRemaining() && channel.read(entries, IndexFormat.offsetBytes(first) + entries.position()) >= 0) {
          // The length was checked: this ends with a full buffer.
        }
        for (int i = 0; i < count; i++) {
          int at = i * IndexFormat.ENTRY_BYTES;
          if (IndexFormat.isWhole(entries, at)) {
            table.add(IndexFormat.hash(entries, at), GlobalPage.of(number, first + i));
          }
        }
        first += count;
      }
    }
  }
}
