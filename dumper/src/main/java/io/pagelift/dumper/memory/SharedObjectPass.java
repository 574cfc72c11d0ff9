package io.pagelift.dumper.memory;

import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.linux.FileDescriptor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends the contents of one object behind mappings or descriptors: shared memory, or an unlinked file. Populated extents only;
 * what the server holds and what is a hole now is taken back.
 *
 * <p>No dirty bits here: a write with write(2), or through a mapping of a process that is not tracked, would not be in them. So
 * everything is sent, each time, unless a hash of this invocation says that it is the same.
 */
public final class SharedObjectPass {
  private static final int PAGE_BYTES = PageRun.PAGE_BYTES;
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PAGE_BYTES).asReadOnlyBuffer();

  private final PageChannel channel;
  private final long objectId;
  private final BatchEmitter emitter;
  private final ReadPlan plan = new ReadPlan();
  private long scannedPages;

  /**
   * A pass over one object.
   *
   * @param filter may hold back pages that the server holds with the same contents
   */
  public SharedObjectPass(PageChannel channel, long objectId, PageFilter filter) {
    this.channel = channel;
    this.objectId = objectId;
    this.emitter = new BatchEmitter(channel, objectId, filter);
  }

  /**
   * Reads the object and sends it.
   *
   * @param file open for reading, with an offset of its own
   * @param held what the server holds of it
   */
  public void run(FileDescriptor file, PageRuns held) {
    PageSet present = populated(file);
    scannedPages = present.pageCount();
    PageSet stale = new PageSet();
    held.forEach(stale::add);
    stale.removeAll(present);
    drop(stale);
    long page = present.nextMember(0);
    while (page >= 0) {
      plan.fill(present, page, Long.MAX_VALUE);
      PageChannel.Batch batch = channel.acquire();
      boolean passedOn = false;
      try {
        read(file, batch);
        passedOn = true;
        emitter.emit(plan, plan.pageCount(), batch);
      } finally {
        if (!passedOn) {
          batch.release();
        }
      }
      page = present.nextMember(plan.endPage());
    }
  }

  /** Pages of the populated extents. */
  public long scannedPages() {
    return scannedPages;
  }

  /** Pages that were sent, with contents or as zero. */
  public long sentPages() {
    return emitter.dataPages() + emitter.zeroPages();
  }

  /** Pages that were the same as before. */
  public long skippedPages() {
    return emitter.filteredPages();
  }

  private static PageSet populated(FileDescriptor file) {
    PageSet present = new PageSet();
    long at = file.seekData(0);
    while (at >= 0) {
      long hole = file.seekHole(at);
      long end = hole < 0 ? at + PAGE_BYTES : hole;
      present.add(at / PAGE_BYTES, (end + PAGE_BYTES - 1) / PAGE_BYTES);
      at = hole < 0 ? -1 : file.seekData(end);
    }
    return present;
  }

  private void read(FileDescriptor file, PageChannel.Batch batch) {
    ByteBuffer bytes = batch.bytes();
    int into = 0;
    for (int i = 0; i < plan.count(); i++) {
      int done = 0;
      while (done < plan.lengths[i]) {
        int count = file.pread(batch.address() + into + done, plan.lengths[i] - done, plan.addresses[i] + done);
        if (count == 0) {
          zero(bytes, into + done, plan.lengths[i] - done);
          break;
        }
        done += count;
      }
      into += plan.lengths[i];
    }
  }

  /** Behind the end of the object: the rest of its last page, or all of it when it was cut meanwhile. */
  private static void zero(ByteBuffer bytes, int offset, int length) {
    for (int done = 0; done < length; done += PAGE_BYTES) {
      bytes.put(offset + done, ZEROS, 0, Math.min(PAGE_BYTES, length - done));
    }
  }

  private void drop(PageSet pages) {
    if (pages.isEmpty()) {
      return;
    }
    List<PageRun> runs = new ArrayList<>();
    pages.forEachRun((first, count) -> runs.add(PageRun.drop(first, (int) Math.min(Integer.MAX_VALUE, count))));
    channel.send(objectId, runs);
  }
}
