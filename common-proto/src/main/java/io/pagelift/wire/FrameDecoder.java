package io.pagelift.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.pagelift.wire.FrameException.Fault;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the stream of bytes into {@link Frame}s, without copying large payloads.
 *
 * <pre>
 *  before: | 16 KiB read: prefix, header, begin of payload | rest of payload, read to its place | 16 KiB read ...
 *  after:  | Frame(header, payload) | Frame(header, payload) | ...
 * </pre>
 *
 * <p>A usual decoder collects what was read in one buffer and copies or slices frames out of it: either every page is copied once
 * more or a payload is in pieces. This one is at the same time the channel's receive allocator. Between frames it hands out a
 * small buffer, whose bytes are copied to where they belong; inside a payload it hands out the rest of the payload's own buffer, so
 * that the kernel writes the pages to their final place and the payload is one contiguous direct buffer.
 *
 * <p>After the first {@link FrameException}, which is fired once, everything received is discarded. One instance per channel.
 */
public final class FrameDecoder extends ChannelInboundHandlerAdapter {
  /** Enough for dozens of acknowledgements, and little of a payload that has to be copied. */
  private static final int SMALL_READ_BYTES = 16 << 10;

  /** Below this a read into the small buffer, which may bring the next frame too, is cheaper. */
  private static final int DIRECT_READ_BYTES = 16 << 10;

  /** Reads in a row from one channel before others on the event loop have their turn. */
  private static final int READS_PER_LOOP = 16;

  private final boolean overTls;
  private final ByteBuf prefixBytes = Unpooled.directBuffer(FrameCodec.PREFIX_BYTES, FrameCodec.PREFIX_BYTES);
  private FrameCodec.@Nullable Prefix prefix;
  private @Nullable ByteBuf header;
  private @Nullable ByteBuf payload;
  private @Nullable ByteBuf lent;
  private boolean greeted;
  private boolean broken;

  /** A decoder right behind the socket. */
  public FrameDecoder() {
    this(false);
  }

  private FrameDecoder(boolean overTls) {
    this.overTls = overTls;
  }

  /** A decoder behind TLS: what the socket receives is not what a frame is made of, so reads are not lent. */
  public static FrameDecoder overTls() {
    return new FrameDecoder(true);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (!overTls) {
      ctx.channel().config().setRecvByteBufAllocator(new ReceiveAllocator());
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    broken = true;
    dropPartialFrame();
    if (prefixBytes.refCnt() > 0) {
      prefixBytes.release();
    }
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // the very buffer that was handed out, not one of the same contents
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    try {
      if (broken) {
        return;
      }
      ByteBuf body = payload;
      if (in == lent && body != null) {
        body.writerIndex(body.writerIndex() + in.readableBytes());
        finishFrame(ctx);
        return;
      }
      while (in.isReadable() && !broken) {
        take(ctx, in);
      }
    } catch (FrameException e) {
      broken = true;
      dropPartialFrame();
      ctx.fireExceptionCaught(e);
    } finally {
      lent = null;
      in.release();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (!broken && (prefixBytes.isReadable() || prefix != null)) {
      broken = true;
      dropPartialFrame();
      ctx.fireExceptionCaught(new FrameException(Fault.TRUNCATED, "the connection ended inside a frame"));
    }
    ctx.fireChannelInactive();
  }

  /** Moves bytes to the first part of the frame that is not full. */
  private void take(ChannelHandlerContext ctx, ByteBuf in) {
    if (prefix == null) {
      fill(prefixBytes, in);
      if (prefixBytes.isWritable()) {
        return;
      }
      FrameCodec.Prefix next = FrameCodec.readPrefix(prefixBytes);
      prefixBytes.clear();
      if (!greeted && next.type() != FrameType.HELLO && next.type() != FrameType.ERROR) {
        // Before anything is allocated for it: nobody knows yet who this is.
        throw new FrameException(Fault.MALFORMED, "received a " + next.type() + " frame before HELLO");
      }
      greeted = true;
      prefix = next;
      header = exactBuffer(ctx.alloc(), next.headerBytes());
      payload = exactBuffer(ctx.alloc(), next.payloadBytes());
    }
    fill(header, in);
    fill(payload, in);
    finishFrame(ctx);
  }

  private static ByteBuf exactBuffer(ByteBufAllocator allocator, int length) {
    return length == 0 ? Unpooled.EMPTY_BUFFER : allocator.directBuffer(length, length);
  }

  private static void fill(@Nullable ByteBuf target, ByteBuf in) {
    if (target != null) {
      in.readBytes(target, Math.min(target.writableBytes(), in.readableBytes()));
    }
  }

  private void finishFrame(ChannelHandlerContext ctx) {
    FrameCodec.Prefix finished = prefix;
    ByteBuf head = header;
    ByteBuf body = payload;
    if (finished == null || head == null || body == null || head.isWritable() || body.isWritable()) {
      return;
    }
    prefix = null;
    header = null;
    payload = null;
    ctx.fireChannelRead(new Frame(finished, head, body));
  }

  private void dropPartialFrame() {
    if (header != null) {
      header.release();
      header = null;
    }
    if (payload != null) {
      payload.release();
      payload = null;
    }
    prefix = null;
  }

  /** Hands out the rest of the payload's buffer when the next bytes belong there. */
  private final class ReceiveAllocator extends DefaultMaxMessagesRecvByteBufAllocator {
    ReceiveAllocator() {
      super(READS_PER_LOOP);
    }

    @Override
    @SuppressWarnings("deprecation") // the interface's own return type
    public RecvByteBufAllocator.Handle newHandle() {
      return new MaxMessageHandle() {
        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
          ByteBuf head = header;
          ByteBuf body = payload;
          if (head == null || body == null || head.isWritable() || body.writableBytes() < DIRECT_READ_BYTES) {
            return allocator.directBuffer(SMALL_READ_BYTES);
          }
          lent = body.retainedSlice(body.writerIndex(), body.writableBytes()).writerIndex(0);
          return lent;
        }

        @Override
        public int guess() {
          return SMALL_READ_BYTES;
        }
      };
    }
  }
}
