package io.pagelift.pageserver.store;

import io.pagelift.store.IndexFormat;
import io.pagelift.store.Place;
import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All segments as one log of pages: finds a page that is there already or appends it.
 *
 * <p>A batch goes through two steps. Without any lock, the round that brought it finds zero pages and computes hashes and
 * checksums ({@link PageBatch#load}). Then, under this log's lock, each page is looked up; a candidate's bytes are read back
 * and compared, whole runs of neighbours at one go, because a page that was seen before usually came with the same
 * neighbours. What is new is appended straight from the caller's buffer with one gathering write, and goes into the table
 * before the write, so that equal pages of one batch find each other (they are compared with the payload then).
 *
 * <p>A batch never straddles two segments: when it might not fit, the next segment begins.
 */
final class SegmentLog implements AutoCloseable {
  private static final int PAGE_BYTES = StoreLayout.PAGE_BYTES;

  /** Candidates of one hash whose bytes are compared before the page is taken for a new one. */
  private static final int MAX_CANDIDATES = 4;

  private final StoreLayout layout;
  private final StableStorage storage;
  private final int segmentPages;
  private final long maxStoreBytes;
  private final DedupTable table;
  private final Origins origins;
  private final Set<RoundPages> inProgress = Collections.newSetFromMap(new IdentityHashMap<>());
  private final WriteBack writeBack = new WriteBack();
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, Segment> segments = new TreeMap<>();
  private final ByteBuffer readBack = ByteBuffer.allocateDirect(PageBatch.MAX_PAGES * PAGE_BYTES);
  private final ByteBuffer entries = IndexFormat.allocate(PageBatch.MAX_PAGES);
  private final ByteBuffer[] windows = new ByteBuffer[PageBatch.MAX_PAGES];
  private final int[] newPages = new int[PageBatch.MAX_PAGES];
  private long usedBytes;
  private int newCount;
  private int readBackFirst;
  private int readBackCount;
  private Segment active;

  /**
   * A log over the recovered segments.
   *
   * @param recovered open segments by number
   * @param active the one of them that goes on being filled, if any
   * @param nextSegment number of the segment to begin otherwise
   */
  SegmentLog(
      StoreLayout layout,
      StableStorage storage,
      StoreOptions options,
      DedupTable table,
      Origins origins,
      Map<Integer, Segment> recovered,
      @Nullable Segment active,
      int nextSegment)
      throws IOException {
    this.layout = layout;
    this.storage = storage;
    this.segmentPages = options.segmentPages();
    this.maxStoreBytes = options.maxStoreBytes();
    this.table = table;
    this.origins = origins;
    this.segments.putAll(recovered);
    recovered.values().forEach(segment -> usedBytes += (long) segment.writtenPages() * Segment.BYTES_PER_PAGE);
    this.active = active != null ? active : begin(nextSegment);
  }

  /**
   * Gives every page of a loaded batch its place and appends the new ones.
   *
   * @param round told what it refers to and what was appended for it
   * @return pages that were appended
   */
  int store(PageBatch batch, RoundPages round) throws IOException {
    if (batch.dataPages() == 0) {
      return 0;
    }
    lock.lock();
    try {
      if (active.failed() || active.writtenPages() + batch.dataPages() > segmentPages) {
        active = begin(active.number() + 1);
      }
      newCount = 0;
      readBackCount = 0;
      for (int page = 0; page < batch.pageCount(); ) {
        page += batch.zero(page) ? 1 : place(batch, page);
      }
      if (newCount > 0) {
        int first = active.writtenPages();
        long newBytes = (long) newCount * Segment.BYTES_PER_PAGE;
        if (round.bounded() && usedBytes > maxStoreBytes - newBytes) {
          throw WriteErrors.storeFull(layout, maxStoreBytes, usedBytes);
        }
        append(batch);
        usedBytes += newBytes;
        round.appended(Place.of(active.number(), first), newCount);
        storage.reached(StoreStep.BATCH_APPENDED);
        writeBack.appended(active);
      }
      round.refersTo(batch);
      return newCount;
    } finally {
      lock.unlock();
    }
  }

  /** Puts what a round refers to on stable storage: for each segment, pages and index up to the highest page. */
  void force(Map<Integer, Integer> pagesBySegment) throws IOException {
    for (Map.Entry<Integer, Integer> entry : pagesBySegment.entrySet()) {
      segment(entry.getKey()).force(entry.getValue());
    }
  }

  /** A round begins to refer to pages. */
  void begin(RoundPages round) {
    locked(() -> inProgress.add(round));
  }

  /** A round has ended: its manifest is on disk, or nothing of it counts. */
  void end(RoundPages round) {
    locked(() -> inProgress.remove(round));
  }

  /** A round in progress refers to pages that it has not stored now: the first {@code pageCount} of a segment. */
  void refer(RoundPages round, int segment, int pageCount) {
    locked(
        () -> {
          round.reach(segment, pageCount);
          return true;
        });
  }

  /** The segments that rounds in progress refer to. */
  Set<Integer> reachesInProgress() {
    return locked(
        () -> {
          Set<Integer> reaches = new TreeSet<>();
          inProgress.forEach(round -> reaches.addAll(round.reaches().keySet()));
          return reaches;
        });
  }

  /** All segments, with their pages. */
  Map<Integer, Integer> numbers() {
    return locked(
        () -> {
          Map<Integer, Integer> numbers = new TreeMap<>();
          segments.forEach((number, segment) -> numbers.put(number, segment.writtenPages()));
          return numbers;
        });
  }

  /**
   * Takes segments out of deduplication, so that nothing refers to them from now on that does not already. Those that a round in
   * progress refers to stay. When the one that is being filled is among them, the next one begins.
   *
   * @return those that were taken out
   */
  Set<Integer> retire(Set<Integer> numbers) throws IOException {
    Set<Integer> retired = new TreeSet<>(numbers);
    retired.removeAll(reachesInProgress());
    lock.lock();
    try {
      inProgress.forEach(round -> retired.removeAll(round.reaches().keySet()));
      for (int number : retired) {
        Segment segment = segments.get(number);
        if (segment != null) {
          segment.retired(true);
        }
      }
      if (retired.contains(active.number())) {
        active = begin(active.number() + 1);
      }
    } finally {
      lock.unlock();
    }
    return retired;
  }

  /** Lets segments that were not dropped be used again. */
  void unretire(Set<Integer> numbers) {
    locked(
        () -> {
          for (int number : numbers) {
            Segment segment = segments.get(number);
            if (segment != null) {
              segment.retired(false);
            }
          }
          return true;
        });
  }

  /** Deletes a retired segment. Returns the bytes of its pages and index entries. */
  long drop(int number) throws IOException {
    Segment segment = locked(() -> segments.remove(number));
    if (segment == null) {
      return 0;
    }
    long bytes = (long) segment.writtenPages() * Segment.BYTES_PER_PAGE;
    segment.close();
    Files.deleteIfExists(layout.segmentFile(number));
    Files.deleteIfExists(layout.indexFile(number));
    origins.forget(number);
    return locked(
        () -> {
          usedBytes -= bytes;
          return bytes;
        });
  }

  private <T> T locked(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  /** Who stored which page first. */
  Origins origins() {
    return origins;
  }

  private Segment segment(int number) throws IOException {
    lock.lock();
    try {
      Segment segment = segments.get(number);
      if (segment == null) {
        throw new IOException("segment " + number + " is not open");
      }
      return segment;
    } finally {
      lock.unlock();
    }
  }

  private Segment begin(int number) throws IOException {
    Segment segment = Segment.create(layout, storage, number);
    segments.put(number, segment);
    storage.forceDirectory(layout.segmentsDirectory());
    return segment;
  }

  /** Places one page, or a run of pages whose candidates are neighbours too. Returns how many. */
  private int place(PageBatch batch, int page) {
    int candidate = usable(table.find(batch.hash(page), 0));
    if (candidate == GlobalPage.NONE || isNew(candidate)) {
      placeAlone(batch, page);
      return 1;
    }
    int count = 1;
    while (page + count < batch.pageCount()
        && !batch.zero(page + count)
        && table.find(batch.hash(page + count), 0) == candidate + count
        && usable(candidate + count) != GlobalPage.NONE
        && !isNew(candidate + count)) {
      count++;
    }
    if (!inReadBack(candidate, count)) {
      readBack(candidate, count);
    }
    for (int i = 0; i < count; i++) {
      if (equalsReadBack(batch, page + i, candidate + i)) {
        batch.place(page + i, placeOf(candidate + i));
      } else {
        placeAlone(batch, page + i);
      }
    }
    return count;
  }

  /** Tries the candidates of one page one after the other; without luck the page is new. */
  private void placeAlone(PageBatch batch, int page) {
    for (int skip = 0; skip < MAX_CANDIDATES; skip++) {
      int found = table.find(batch.hash(page), skip);
      if (found == GlobalPage.NONE) {
        break;
      }
      if (usable(found) != GlobalPage.NONE && equalsCandidate(batch, page, found)) {
        batch.place(page, placeOf(found));
        return;
      }
    }
    int at = active.writtenPages() + newCount;
    batch.placeNew(page, Place.of(active.number(), at));
    newPages[newCount++] = page;
    table.add(batch.hash(page), GlobalPage.of(active.number(), at));
  }

  private boolean equalsCandidate(PageBatch batch, int page, int candidate) {
    if (isNew(candidate)) {
      int other = newPages[GlobalPage.page(candidate) - active.writtenPages()];
      return batch.window(page, 1).mismatch(batch.window(other, 1)) < 0;
    }
    if (!inReadBack(candidate, 1)) {
      readBack(candidate, 1);
    }
    return equalsReadBack(batch, page, candidate);
  }

  private boolean equalsReadBack(PageBatch batch, int page, int candidate) {
    if (!inReadBack(candidate, 1)) {
      return false;
    }
    int at = (candidate - readBackFirst) * PAGE_BYTES;
    return batch.window(page, 1).mismatch(readBack.duplicate().limit(at + PAGE_BYTES).position(at)) < 0;
  }

  private boolean inReadBack(int candidate, int count) {
    return readBackCount > 0 && candidate >= readBackFirst && candidate + count <= readBackFirst + readBackCount;
  }

  /** Reads stored pages for comparison. When that fails they equal nothing, and the pages at hand are stored again. */
  private void readBack(int candidate, int count) {
    readBackCount = 0;
    Segment segment = segments.get(GlobalPage.segment(candidate));
    try {
      if (segment != null) {
        segment.read(GlobalPage.page(candidate), readBack.clear().limit(count * PAGE_BYTES));
        readBackFirst = candidate;
        readBackCount = count;
      }
    } catch (IOException e) {
      readBackCount = 0;
    }
  }

  /** Whether the candidate belongs to this batch and is not written yet. */
  private boolean isNew(int candidate) {
    return GlobalPage.segment(candidate) == active.number() && GlobalPage.page(candidate) >= active.writtenPages();
  }

  /** The candidate if it may be referred to: written and not lost, or about to be written by this batch. */
  private int usable(int candidate) {
    if (candidate == GlobalPage.NONE) {
      return GlobalPage.NONE;
    }
    if (isNew(candidate)) {
      // Beyond what this batch adds there may be remains of a batch whose write failed.
      return GlobalPage.page(candidate) - active.writtenPages() < newCount ? candidate : GlobalPage.NONE;
    }
    Segment segment = segments.get(GlobalPage.segment(candidate));
    return segment != null && !segment.retired() && GlobalPage.page(candidate) < segment.usablePages() ? candidate : GlobalPage.NONE;
  }

  private static long placeOf(int globalPage) {
    return Place.of(GlobalPage.segment(globalPage), GlobalPage.page(globalPage));
  }

  private void append(PageBatch batch) throws IOException {
    int windowCount = 0;
    entries.clear();
    for (int i = 0; i < newCount; ) {
      int count = 1;
      while (i + count < newCount && newPages[i + count] == newPages[i] + count) {
        count++;
      }
      windows[windowCount++] = batch.window(newPages[i], count);
      for (int page = newPages[i]; page < newPages[i] + count; page++) {
        IndexFormat.put(entries, batch.hash(page), batch.crc32c(page));
      }
      i += count;
    }
    active.append(windows, windowCount, newCount, entries.flip());
  }

  @Override
  public void close() throws IOException {
    writeBack.close();
    lock.lock();
    try {
      for (Segment segment : segments.values()) {
        segment.close();
      }
      segments.clear();
    } finally {
      lock.unlock();
    }
  }
}
