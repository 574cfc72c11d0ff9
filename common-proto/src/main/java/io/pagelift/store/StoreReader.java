package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads a store on this host, whether or not a page-server is writing it: committed rounds never change, and what is not
 * committed is not seen. Any thread may use it.
 *
 * <p>A page is never handed out unchecked by {@link #readPages}. Who reads a segment file himself (a rebuilt process that
 * reads straight into its own memory) calls {@link #checkPages} for the same pages.
 */
public final class StoreReader implements AutoCloseable {
  private static final int CHECK_BYTES = 256 * StoreLayout.PAGE_BYTES;

  private static final int CHECK_BUFFERS = 4;

  private final StoreLayout layout;
  private final BlockingQueue<ByteBuffer> checkBuffers = new ArrayBlockingQueue<>(CHECK_BUFFERS);
  private final ConcurrentMap<Integer, SegmentReader> segments = new ConcurrentHashMap<>();

  private final @Nullable ReaderLock lock;

  private StoreReader(StoreLayout layout, @Nullable ReaderLock lock) {
    this.layout = layout;
    this.lock = lock;
  }

  /** Opens the store in a directory. Throws a usage error when there is none, a refused one for a format not known, a corrupt one for damage. */
  public static StoreReader open(Path directory) {
    StoreLayout layout = new StoreLayout(directory);
    StoreFile.check(layout);
    return new StoreReader(layout, ReaderLock.share(layout));
  }

  /** The same for the process that owns the store, and knows itself when its segments go. */
  public static StoreReader openOwn(Path directory) {
    StoreLayout layout = new StoreLayout(directory);
    StoreFile.check(layout);
    return new StoreReader(layout, null);
  }

  /** Where the files lie. */
  public StoreLayout layout() {
    return layout;
  }

  /** The names of all migrations that have a directory here, sorted; some may have no committed round yet. */
  public List<String> migrationNames() {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(layout.migrationsDirectory())) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (StoreLayout.isName(name) && Files.isDirectory(entry)) {
          names.add(name);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw StoreErrors.unreadable(layout.migrationsDirectory(), e);
    }
    Collections.sort(names);
    return names;
  }

  /** The committed rounds of a migration as of now. Throws a usage error when there is no such migration. */
  public StoredMigration migration(String name) {
    Path directory = layout.migrationDirectory(name);
    if (!Files.isDirectory(directory)) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "The store " + layout.directory() + " holds no migration named " + StoreLayout.quoted(name)
              + "; 'page-server ls' lists what it holds.");
    }
    return StoredMigration.read(layout, name);
  }

  /** The file of a segment: page i lies at byte 4096 * i. */
  public Path segmentFile(int segment) {
    return layout.segmentFile(segment);
  }

  /**
   * Reads pages into the buffer, which advances by {@code 4096 * pageCount}, and checks them. Throws a corrupt error that
   * names the damaged page.
   */
  public void readPages(int segment, long segmentPage, int pageCount, ByteBuffer destination) {
    segment(segment).read(segmentPage, pageCount, destination);
  }

  /** Checks pages that the caller has read, whole pages from position to limit; the buffer does not move. */
  public void checkBytes(int segment, long segmentPage, ByteBuffer pages) {
    segment(segment).check(segmentPage, pages);
  }

  /** Reads pages and checks them, 1 MiB at a time. */
  public void checkPages(int segment, long segmentPage, long pageCount) {
    @Nullable ByteBuffer pooled = checkBuffers.poll();
    ByteBuffer buffer = pooled != null ? pooled : ByteBuffer.allocateDirect(CHECK_BYTES);
    try {
      for (long done = 0; done < pageCount; ) {
        int count = (int) Math.min(CHECK_BYTES / StoreLayout.PAGE_BYTES, pageCount - done);
        readPages(segment, segmentPage + done, count, buffer.clear());
        done += count;
      }
    } finally {
      // Full: one thread more than usual came at one time. Its buffer is left to the collector.
      checkBuffers.offer(buffer);
    }
  }

  /** Checks that pages are there and have whole index entries; reads no page. Throws a corrupt error that names the first that has not. */
  public void checkDescribed(int segment, long segmentPage, int pageCount) {
    segment(segment).checkDescribed(segmentPage, pageCount);
  }

  /** The index entries of stored pages, see {@link IndexFormat}. */
  public ByteBuffer indexEntries(int segment, long segmentPage, int pageCount) {
    return segment(segment).entries(segmentPage, pageCount);
  }

  /** Closes the files of a segment that is about to be deleted. */
  public void forget(int segment) {
    SegmentReader open = segments.remove(segment);
    if (open != null) {
      open.close();
    }
  }

  private SegmentReader segment(int segment) {
    return segments.computeIfAbsent(segment, number -> SegmentReader.open(layout, number));
  }

  @Override
  public void close() {
    segments.values().forEach(SegmentReader::close);
    segments.clear();
    if (lock != null) {
      lock.close();
    }
  }
}
