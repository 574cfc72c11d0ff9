package io.pagelift.wire;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.pagelift.common.PageChecksums;
import io.pagelift.common.PageRun;
import io.pagelift.wire.FrameException.Fault;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A received frame. Its checksum is checked by whoever first asks for its contents, not by the decoder, so that this work leaves
 * the event loop; unchecked contents cannot be had.
 *
 * <p><b>Ownership.</b> Whoever receives the frame releases it once; header and payload are gone then.
 */
public final class Frame {
  private final FrameCodec.Prefix prefix;
  private final ByteBuf header;
  private final ByteBuf payload;
  private int[] pageChecksums = {};
  private boolean checked;

  Frame(FrameCodec.Prefix prefix, ByteBuf header, ByteBuf payload) {
    this.prefix = prefix;
    this.header = header;
    this.payload = payload;
  }

  /** The kind of frame. */
  public FrameType type() {
    return prefix.type();
  }

  /** Bytes that the frame keeps from being used otherwise: header and payload. */
  public int lengthBytes() {
    return prefix.headerBytes() + prefix.payloadBytes();
  }

  /** Length of the payload in bytes. */
  public int payloadBytes() {
    return prefix.payloadBytes();
  }

  /**
   * The header's message.
   *
   * @throws FrameException when the checksum is wrong or the header is no such message
   */
  public <M extends MessageLite> M message(Class<M> kind) {
    check();
    try {
      return kind.cast(prefix.type().parser().parseFrom(CodedInputStream.newInstance(header.nioBuffer())));
    } catch (InvalidProtocolBufferException e) {
      throw malformed("its header cannot be read");
    }
  }

  /** The payload, valid until {@link #release}; position 0. Throws {@link FrameException} when the checksum is wrong. */
  public ByteBuffer payload() {
    check();
    return payload.nioBuffer();
  }

  /**
   * The CRC32C of each page of a PAGE_BATCH's payload, which were computed to check the frame; empty for a payload that is not
   * whole pages. Throws {@link FrameException} when the frame's checksum is wrong.
   */
  public int[] pageChecksums() {
    check();
    return pageChecksums;
  }

  /** An exception that says what is wrong with this frame. */
  public FrameException malformed(String why) {
    return new FrameException(Fault.MALFORMED, "received a malformed " + type() + " frame: " + why);
  }

  /** Gives the memory back. */
  public void release() {
    header.release();
    payload.release();
  }

  private void check() {
    if (checked) {
      return;
    }
    CRC32C crc = prefix.seed();
    crc.update(header.nioBuffer());
    int checksum;
    if (type() == FrameType.PAGE_BATCH && payloadBytes() % PageRun.PAGE_BYTES == 0) {
      pageChecksums = PageChecksums.of(payload.nioBuffer());
      checksum = PageChecksums.appended((int) crc.getValue(), pageChecksums);
    } else {
      crc.update(payload.nioBuffer());
      checksum = (int) crc.getValue();
    }
    if (checksum != prefix.checksum()) {
      throw new FrameException(Fault.CHECKSUM, "received a damaged " + type() + " frame: the checksum does not match");
    }
    checked = true;
  }
}
