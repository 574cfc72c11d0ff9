package io.pagelift.dumper.splice;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.memory.BatchEmitter;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.memory.PageFilter;
import io.pagelift.dumper.memory.PageReader;
import io.pagelift.dumper.memory.PageSet;
import io.pagelift.dumper.memory.PageSource;
import io.pagelift.dumper.memory.ReadPlan;

/**
 * Drains the pipes that a {@link PipeFiller} filled, and has what is in no pipe read from the running process.
 *
 * <p>A page in a pipe is the target's own page, not a copy: what the target writes before the pipe is drained may or may not be in
 * it. Tracking began anew in the freeze, so such a page is in the next round again.
 */
public final class SplicedSource implements PageSource {
  private final PipeFiller filler;
  private final PageReader reader;
  private final PageChannel channel;
  private final BatchEmitter emitter;
  private final ReadPlan plan = new ReadPlan();

  /**
   * A source of one address space.
   *
   * @param reader for the pages that are in no pipe; owned from here on
   */
  public SplicedSource(PipeFiller filler, PageReader reader, PageChannel channel, long objectId) {
    this.filler = filler;
    this.reader = reader;
    this.channel = channel;
    this.emitter = new BatchEmitter(channel, objectId, PageFilter.SEND_ALL);
  }

  @Override
  public void send(PageSet pages) {
    for (PagePipe pipe : filler.pipes()) {
      drain(pipe);
      pipe.close();
    }
    reader.send(filler.leftOut());
  }

  private void drain(PagePipe pipe) {
    long page = pipe.pages().nextMember(0);
    while (page >= 0) {
      plan.fill(pipe.pages(), page, Long.MAX_VALUE);
      PageChannel.Batch batch = channel.acquire();
      boolean passedOn = false;
      try {
        int wantedBytes = plan.pageCount() * PageRun.PAGE_BYTES;
        int done = 0;
        while (done < wantedBytes) {
          int count = pipe.readEnd().read(batch.address() + done, wantedBytes - done);
          if (count == 0) {
            throw new PageliftException(ErrorCategory.INTERNAL, "A pipe holds fewer pages than were put into it.");
          }
          done += count;
        }
        passedOn = true;
        emitter.emit(plan, plan.pageCount(), batch);
      } finally {
        if (!passedOn) {
          batch.release();
        }
      }
      page = pipe.pages().nextMember(plan.endPage());
    }
  }

  @Override
  public PageSet unread() {
    return reader.unread();
  }

  @Override
  public boolean processGone() {
    return reader.processGone();
  }

  @Override
  public long dataPages() {
    return emitter.dataPages() + reader.dataPages();
  }

  @Override
  public long zeroPages() {
    return emitter.zeroPages() + reader.zeroPages();
  }

  @Override
  public long filteredPages() {
    return reader.filteredPages();
  }

  @Override
  public void close() {
    filler.pipes().forEach(PagePipe::close);
    reader.close();
  }
}
