package io.pagelift.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.ImagePart;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.RoundAbort;
import io.pagelift.wire.proto.RoundAborted;
import io.pagelift.wire.proto.RoundCommit;
import io.pagelift.wire.proto.RoundCommitted;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Sends the pages of one round. Used by one thread. Blocks, with a bound, when the window is full.
 *
 * <p>Batches are not answered one by one: the server acknowledges what its store has taken, and {@link #commit} waits for all.
 *
 * <p>Every method throws {@link PageliftException} when the connection is lost (REMOTE) or the server refuses; the round is lost
 * then, the rounds before it are not.
 */
public final class RoundWriter {
  private final MigrationSession session;
  private final Connection connection;
  private final int round;
  private long sequence;
  private long payloadBytesSent;
  private boolean ended;

  RoundWriter(MigrationSession session, Connection connection, int round) {
    this.session = session;
    this.connection = connection;
    this.round = round;
  }

  /** Number of this round. */
  public int round() {
    return round;
  }

  /** Payload bytes sent so far in this round. */
  public long payloadBytesSent() {
    return payloadBytesSent;
  }

  /** An empty buffer; waits, with a bound, until one is free. The caller owns it until {@link #send}. */
  public PageBatchBuffer acquire() {
    checkOpen();
    return connection.acquireBuffer();
  }

  /**
   * Sends one batch.
   *
   * @param objectId what the pages belong to
   * @param runs 1 to 1024 runs in the order of their bytes; the DATA runs together have 1 to 256 pages, which lie at the start of
   *     the buffer, one after the other
   * @param pages the contents; owned by the writer from here on
   */
  public void send(long objectId, List<PageRun> runs, PageBatchBuffer pages) {
    boolean sent = false;
    try {
      checkOpen();
      long dataPages = dataPages(runs);
      if (dataPages > FrameCodec.MAX_PAGES_PER_BATCH || runs.isEmpty() || runs.size() > FrameCodec.MAX_RUNS_PER_BATCH) {
        throw new IllegalArgumentException("a batch cannot have " + runs.size() + " runs with " + dataPages + " pages of data");
      }
      ByteBuf payload = pages.payload(Math.toIntExact(dataPages * PageRun.PAGE_BYTES));
      payloadBytesSent += payload.readableBytes();
      sent = true;
      connection.sendCounted(++sequence, FrameType.PAGE_BATCH, batch(objectId, runs), payload, pages::release);
    } finally {
      if (!sent) {
        pages.release();
      }
    }
  }

  /** Sends ZERO and DROP runs, any number of them. */
  public void send(long objectId, List<PageRun> runs) {
    checkOpen();
    if (dataPages(runs) > 0) {
      throw new IllegalArgumentException("runs with data need a buffer");
    }
    for (int from = 0; from < runs.size(); from += FrameCodec.MAX_RUNS_PER_BATCH) {
      List<PageRun> part = runs.subList(from, Math.min(runs.size(), from + FrameCodec.MAX_RUNS_PER_BATCH));
      connection.sendCounted(++sequence, FrameType.PAGE_BATCH, batch(objectId, part), Unpooled.EMPTY_BUFFER, () -> {});
    }
  }

  private static long dataPages(List<PageRun> runs) {
    long pages = 0;
    for (PageRun run : runs) {
      pages += run.kind() == PageRun.Kind.DATA ? run.pageCount() : 0;
    }
    return pages;
  }

  private PageBatch batch(long objectId, List<PageRun> runs) {
    return PageBatch.newBuilder().setSequence(sequence).setObjectId(objectId).addAllRuns(Messages.toWire(runs)).build();
  }

  /** Sends a named blob of the round, such as the serialized tree image under "tree". At least one byte. */
  public void image(String name, ByteBuffer bytes) {
    checkOpen();
    ByteBuffer rest = bytes.duplicate();
    int totalBytes = rest.remaining();
    if (totalBytes == 0) {
      throw new IllegalArgumentException("the blob '" + name + "' is empty");
    }
    while (rest.hasRemaining()) {
      PageBatchBuffer buffer = acquire();
      int partBytes = Math.min(rest.remaining(), PageBatchBuffer.CAPACITY_BYTES);
      ImagePart part =
          ImagePart.newBuilder()
              .setName(name)
              .setOffset(totalBytes - rest.remaining())
              .setTotalBytes(totalBytes)
              .setSequence(++sequence)
              .build();
      buffer.bytes().put(rest.slice(rest.position(), partBytes));
      rest.position(rest.position() + partBytes);
      connection.sendCounted(sequence, FrameType.IMAGE_PART, part, buffer.payload(partBytes), buffer::release);
    }
  }

  /**
   * Ends the round and waits until it is on stable storage.
   *
   * @param objects all objects alive at the end of the round
   * @param complete the round carries the tree image
   */
  public RoundResult commit(List<ObjectInfo> objects, boolean complete) {
    checkOpen();
    RoundCommit commit =
        RoundCommit.newBuilder()
            .setRound(round)
            .setBatchCount(sequence)
            .setComplete(complete)
            .addAllObjects(objects)
            .build();
    ended = true;
    session.aborted();
    RoundCommitted committed =
        connection.call(
            FrameType.ROUND_COMMIT, commit, FrameType.ROUND_COMMITTED, RoundCommitted.class, "ROUND_COMMIT of round " + round,
            connection.options().commitTimeout());
    if (committed.getRound() != round) {
      throw connection.fail(
          new PageliftException(
              ErrorCategory.REMOTE, connection.peer() + " committed round " + committed.getRound() + " instead of " + round));
    }
    session.committed(round, objects);
    return Messages.fromWire(committed);
  }

  /** Gives the round up; the server forgets its pages. Does nothing when it has ended or the connection is already lost. */
  public void abort(String reason) {
    if (ended) {
      return;
    }
    ended = true;
    session.aborted();
    if (!connection.failed()) {
      connection.call(
          FrameType.ROUND_ABORT, RoundAbort.newBuilder().setRound(round).setReason(reason).build(), FrameType.ROUND_ABORTED,
          RoundAborted.class, "ROUND_ABORT of round " + round, connection.options().replyTimeout());
    }
  }

  private void checkOpen() {
    if (ended) {
      throw new IllegalStateException("round " + round + " has ended");
    }
  }
}
