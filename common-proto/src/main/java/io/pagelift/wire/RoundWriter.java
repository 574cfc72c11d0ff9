package io.pagelift.wire;

import io.pagelift.common.PageRun;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Sends the pages of one round. Used by one thread. Blocks, with a bound, when the window is full.
 *
 * <p>Every method throws {@link io.pagelift.common.PageliftException} (REMOTE) when the connection is lost or the server refuses.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class RoundWriter {
  RoundWriter() {}

  /** Number of this round. */
  public int round() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** An empty buffer; waits, with a bound, until one is free. The caller owns it until {@link #send}. */
  public PageBatchBuffer acquire() {
    throw new UnsupportedOperationException("not written yet");
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
    throw new UnsupportedOperationException("not written yet");
  }

  /** Sends ZERO and DROP runs, any number of them. */
  public void send(long objectId, List<PageRun> runs) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Sends a named blob of the round, such as the serialized tree image under "tree". */
  public void image(String name, ByteBuffer bytes) {
    throw new UnsupportedOperationException("not written yet");
  }

  /**
   * Ends the round and waits until it is on stable storage.
   *
   * @param objects all objects alive at the end of the round
   * @param complete the round carries the tree image
   */
  public RoundResult commit(List<ObjectInfo> objects, boolean complete) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Gives the round up; the server forgets its pages. Does nothing when the connection is already lost. */
  public void abort(String reason) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Payload bytes sent so far in this round. */
  public long payloadBytesSent() {
    throw new UnsupportedOperationException("not written yet");
  }
}
