package io.pagelift.wire;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.pagelift.wire.FrameException.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The frame, the unit of everything that crosses a connection. Integers are big-endian.
 *
 * <pre>
 *  0       2       3       4               8              12              16
 * +-------+-------+-------+---------------+---------------+---------------+
 * |  'PL' | format|  type | header bytes  | payload bytes |    CRC32C     |
 * | 2     | 1: 1  | 1     | 4             | 4             | 4             |
 * +-------+-------+-------+---------------+---------------+---------------+
 * | header: the type's protobuf message, 0 to maxHeaderBytes of the type  |
 * +-----------------------------------------------------------------------+
 * | payload: raw bytes (pages, parts of an image), 0 to maxPayloadBytes   |
 * +-----------------------------------------------------------------------+
 * </pre>
 *
 * <p>The checksum covers the first 12 bytes, the header and the payload, so that a flipped bit in a type or a length is found too.
 * Type and both lengths are checked before anything is allocated for them.
 *
 * <p>A frame is written as two buffers, head (prefix and header) and payload, which the transport gathers in one system call. The
 * payload is never copied.
 */
public final class FrameCodec {
  /** Version of the messages, exchanged in HELLO. */
  public static final int PROTOCOL_VERSION = 1;

  /** Most runs of a PAGE_BATCH or PAGE_DATA. */
  public static final int MAX_RUNS_PER_BATCH = 1024;

  /** Most runs of a HELD_RUNS, PLACE_RUNS or READ_REQUEST. */
  public static final int MAX_RUNS_PER_ANSWER = 4096;

  /** Most pages whose bytes travel in one frame. */
  public static final int MAX_PAGES_PER_BATCH = 256;

  static final int PREFIX_BYTES = 16;
  static final int MAGIC = 'P' << 8 | 'L';
  static final int FORMAT = 1;
  private static final int CHECKSUM_OFFSET = 12;

  private FrameCodec() {}

  /**
   * The checked beginning of a frame.
   *
   * @param type the kind of frame
   * @param headerBytes length of the header, within the bounds of the type
   * @param payloadBytes length of the payload, within the bounds of the type
   * @param checksum CRC32C as received, not yet checked
   * @param seed CRC32C state after the first 12 bytes
   */
  record Prefix(FrameType type, int headerBytes, int payloadBytes, int checksum, CRC32C seed) {}

  /** Reads 16 bytes; throws {@link FrameException} when they do not begin a frame. */
  static Prefix readPrefix(ByteBuf in) {
    CRC32C seed = new CRC32C();
    seed.update(in.nioBuffer(in.readerIndex(), CHECKSUM_OFFSET));
    int magic = in.readUnsignedShort();
    int format = in.readUnsignedByte();
    if (magic != MAGIC || format != FORMAT) {
      throw new FrameException(Fault.NOT_PAGELIFT, notPagelift(magic, format));
    }
    int code = in.readUnsignedByte();
    FrameType type = FrameType.ofCode(code);
    if (type == null) {
      throw new FrameException(Fault.UNKNOWN_TYPE, "received a frame of unknown type " + code);
    }
    int headerBytes = bounded(type, "header", in.readInt(), type.maxHeaderBytes());
    int payloadBytes = bounded(type, "payload", in.readInt(), type.maxPayloadBytes());
    return new Prefix(type, headerBytes, payloadBytes, in.readInt(), seed);
  }

  private static String notPagelift(int magic, int format) {
    if (magic == MAGIC) {
      return "received a frame of format " + format + ", this program knows format " + FORMAT;
    }
    String like =
        switch (magic) {
          case 'H' << 8 | 'T', 'G' << 8 | 'E', 'P' << 8 | 'O' -> " (they look like HTTP)";
          case 'S' << 8 | 'S' -> " (they look like SSH)";
          case 0x1603, 0x1503 -> " (they look like TLS)";
          default -> "";
        };
    return "received bytes that are not Pagelift's protocol" + like;
  }

  private static int bounded(FrameType type, String part, int length, int max) {
    if (length < 0 || length > max) {
      throw new FrameException(
          Fault.TOO_LONG,
          "received a " + type + " frame that announces a " + part + " of " + Integer.toUnsignedString(length) + " bytes; at most "
              + max + " are allowed");
    }
    return length;
  }

  /**
   * Encodes prefix and header of a frame into one direct buffer, owned by the caller.
   *
   * @param payload what will follow; only read, position and limit stay
   */
  static ByteBuf encodeHead(ByteBufAllocator allocator, FrameType type, MessageLite header, @Nullable ByteBuffer payload) {
    int headerBytes = header.getSerializedSize();
    int payloadBytes = payload == null ? 0 : payload.remaining();
    if (headerBytes > type.maxHeaderBytes() || payloadBytes > type.maxPayloadBytes()) {
      throw new IllegalArgumentException(
          "a " + type + " frame cannot have a header of " + headerBytes + " and a payload of " + payloadBytes + " bytes");
    }
    ByteBuf head = allocator.directBuffer(PREFIX_BYTES + headerBytes, PREFIX_BYTES + headerBytes);
    head.writeShort(MAGIC).writeByte(FORMAT).writeByte(type.code()).writeInt(headerBytes).writeInt(payloadBytes);
    CRC32C crc = new CRC32C();
    crc.update(head.nioBuffer(0, CHECKSUM_OFFSET));
    writeMessage(header, head.nioBuffer(PREFIX_BYTES, headerBytes));
    crc.update(head.nioBuffer(PREFIX_BYTES, headerBytes));
    if (payload != null) {
      crc.update(payload.duplicate());
    }
    head.writeInt((int) crc.getValue());
    return head.writerIndex(PREFIX_BYTES + headerBytes);
  }

  private static void writeMessage(MessageLite message, ByteBuffer into) {
    try {
      CodedOutputStream out = CodedOutputStream.newInstance(into);
      message.writeTo(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot encode a message into memory", e);
    }
  }

  /** Sends a frame without payload. Any thread. A failed write closes the channel. */
  public static void send(Channel channel, FrameType type, MessageLite header) {
    ByteBuf head = encodeHead(channel.alloc(), type, header, null);
    channel.writeAndFlush(head).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
  }

  /** Sends a frame without payload and, when it is written, the end of this direction of the connection. Any thread. */
  public static void sendLast(DuplexChannel channel, FrameType type, MessageLite header) {
    ByteBuf head = encodeHead(channel.alloc(), type, header, null);
    channel
        .writeAndFlush(head)
        .addListener(written -> endOfOutput(channel));
  }

  private static void endOfOutput(DuplexChannel channel) {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    if (tls == null) {
      channel.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    } else {
      tls.closeOutbound().addListener(said -> channel.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE));
    }
  }

  /**
   * Sends a frame with payload. Any thread; the checksum is computed on the caller's. A failed write closes the channel.
   *
   * @param payload readable bytes of one direct buffer; released when written or failed
   * @param done called on the event loop when the payload was written or never will be
   */
  public static void send(Channel channel, FrameType type, MessageLite header, ByteBuf payload, Runnable done) {
    ByteBuf head;
    try {
      head = encodeHead(channel.alloc(), type, header, payload.nioBuffer());
    } catch (RuntimeException e) {
      payload.release();
      done.run();
      throw e;
    }
    // One task, so that no other frame comes between head and payload.
    Runnable write =
        () -> {
          channel.write(head).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
          channel.writeAndFlush(payload).addListener(ChannelFutureListener.CLOSE_ON_FAILURE).addListener(future -> done.run());
        };
    try {
      channel.eventLoop().execute(write);
    } catch (RejectedExecutionException e) {
      head.release();
      payload.release();
      done.run();
    }
  }
}
