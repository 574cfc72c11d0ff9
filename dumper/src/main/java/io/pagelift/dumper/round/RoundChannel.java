package io.pagelift.dumper.round;

import io.pagelift.common.PageRun;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.RoundWriter;
import java.nio.ByteBuffer;
import java.util.List;

/** Sends pages as batches of a round. */
final class RoundChannel implements PageChannel {
  private final RoundWriter writer;

  RoundChannel(RoundWriter writer) {
    this.writer = writer;
  }

  @Override
  public Batch acquire() {
    return new BufferBatch(writer.acquire());
  }

  @Override
  public void send(long objectId, List<PageRun> runs, Batch pages) {
    writer.send(objectId, runs, ((BufferBatch) pages).buffer);
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
