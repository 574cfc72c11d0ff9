package io.pagelift.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.pagelift.wire.proto.Hello;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Feeds a {@link FrameDecoder} as a socket does, with reads of chosen lengths into the buffers that the decoder hands out. */
final class DecoderFixture implements AutoCloseable {
  final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
  final EmbeddedChannel channel = new EmbeddedChannel();
  final List<Frame> frames = new ArrayList<>();
  private final RecvByteBufAllocator.ExtendedHandle reads;
  @Nullable FrameException failure;
  long largestAllocationBytes;

  DecoderFixture() {
    channel.config().setAllocator(allocator);
    channel.pipeline().addLast(new FrameDecoder());
    reads = (RecvByteBufAllocator.ExtendedHandle) channel.config().<RecvByteBufAllocator>getRecvByteBufAllocator().newHandle();
    greet();
  }

  /** Before a HELLO the decoder takes nothing else. */
  private void greet() {
    ByteBuf head = FrameCodec.encodeHead(allocator, FrameType.HELLO, Hello.getDefaultInstance(), null);
    byte[] bytes = new byte[head.readableBytes()];
    head.readBytes(bytes).release();
    receive(bytes, new Random(1), bytes.length);
    frames.forEach(Frame::release);
    frames.clear();
    largestAllocationBytes = 0;
  }

  /** Delivers the bytes in reads of at most {@code maxReadBytes}. */
  void receive(byte[] bytes, Random random, int maxReadBytes) {
    int at = 0;
    while (at < bytes.length) {
      ByteBuf into = reads.allocate((ByteBufAllocator) allocator);
      int length = Math.min(Math.min(into.writableBytes(), bytes.length - at), 1 + random.nextInt(maxReadBytes));
      into.writeBytes(bytes, at, length);
      at += length;
      deliver(into);
      largestAllocationBytes = Math.max(largestAllocationBytes, allocator.metric().usedDirectMemory());
    }
  }

  /** The end of the stream. */
  void end() {
    catching(channel::finish);
  }

  private void deliver(ByteBuf into) {
    catching(() -> channel.writeInbound(into));
  }

  private void catching(Runnable action) {
    try {
      action.run();
    } catch (FrameException e) {
      failure = e;
    }
    Frame frame = channel.readInbound();
    while (frame != null) {
      frames.add(frame);
      frame = channel.readInbound();
    }
  }

  /** Ends everything; the bytes that are still allocated then are a leak. */
  long leakedBytes() {
    end();
    frames.forEach(Frame::release);
    frames.clear();
    return allocator.metric().usedDirectMemory();
  }

  @Override
  public void close() {
    leakedBytes();
  }
}
