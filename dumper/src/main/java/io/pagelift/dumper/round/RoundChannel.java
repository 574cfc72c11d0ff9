package io.pagelift.dumper.round;

import io.pagelift.common.PageRun;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.stats.Progress;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.RoundWriter;
import java.nio.ByteBuffer;
import java.util.List;

/** Sends pages as batches of a round. */
final class RoundChannel implements PageChannel, AutoCloseable {
  private final RoundWriter writer;
  private final Progress progress;

  RoundChannel(RoundWriter writer) {
    this.writer = writer;
    this.progress = new Progress(writer.round());
  }

  @Override
  public void expect(long pageCount) {
    progress.expect(pageCount);
  }

  /** Ends the display of progress; the round goes on. */
  @Override
  public void close() {
    progress.close();
  }

  @Override
  public Batch acquire() {
    return new BufferBatch(writer.acquire());
  }

  @Override
  public void send(long objectId, List<PageRun> runs, Batch pages) {
    writer.send(objectId, runs, ((BufferBatch) pages).buffer);
    long pageCount = 0;
    for (PageRun run : runs) {
      pageCount += run.pageCount();
    }
    progress.done(pageCount);
  }

  @Override
  public void send(long objectId, List<PageRun> runs) {
    writer.send(objectId, runs);
  }

  private record BufferBatch(PageBatchBuffer buffer) implements Batch {
    @Override
    public long address() {
      return buffer.address();
    }

    @Override
    public ByteBuffer bytes() {
      return buffer.bytes();
    }

    @Override
    public void release() {
      buffer.release();
    }
  }
}
