package io.pagelift.wire;

import java.nio.ByteBuffer;

/**
 * A buffer of up to 256 pages, outside the Java heap at a fixed page-aligned address, that a page reader fills and a {@link
 * RoundWriter} sends as it is.
 *
 * <p><b>Ownership.</b> {@link RoundWriter#acquire} gives the buffer to the caller. {@link RoundWriter#send} takes it back, also when
 * it throws; so does {@link #release}. After that the address must not be touched: another batch is being read into it.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class PageBatchBuffer {
  /** Size of every buffer: 256 pages. */
  public static final int CAPACITY_BYTES = 1 << 20;

  PageBatchBuffer() {}

  /** Address of the first byte, for system calls that read straight into the buffer. */
  public long address() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The whole buffer for writing from Java; position and limit are the caller's own. */
  public ByteBuffer bytes() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Gives the buffer back without sending it. */
  public void release() {
    throw new UnsupportedOperationException("not written yet");
  }
}
