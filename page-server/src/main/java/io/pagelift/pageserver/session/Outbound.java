package io.pagelift.pageserver.session;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.FrameCodec;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.Messages;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * What a session sends. The worker waits, with a bound, while the client does not take what was sent before, so that no more than
 * the channel's high water mark waits in memory.
 */
final class Outbound {
  /** How long a client that was told of a fatal error may take to read it and close. */
  private static final long LINGER_SECONDS = 5;

  private final Channel channel;
  private final Duration bound;
  private final String address;
  private volatile String peer;
  private final Object writability = new Object();

  Outbound(Channel channel, Duration bound) {
    this.channel = channel;
    this.bound = bound;
    // Kept, because a closed channel no longer knows it.
    address = channel.remoteAddress() instanceof InetSocketAddress known
        ? new HostPort(known.getAddress().getHostAddress(), known.getPort()).toString()
        : String.valueOf(channel.remoteAddress());
    peer = address;
  }

  /** Event loop: the client has shown who it is, which messages say from now on. */
  void identified(String name) {
    peer = name + "@" + address;
  }

  /** The client, for messages. */
  String peer() {
    return peer;
  }

  /** Whether the connection is still there. */
  boolean alive() {
    return channel.isActive();
  }

  ByteBuf buffer(int lengthBytes) {
    return channel.alloc().directBuffer(lengthBytes, lengthBytes);
  }

  void send(FrameType type, MessageLite message) {
    awaitWritable();
    FrameCodec.send(channel, type, message);
  }

  /** Sends a frame with payload, which is released in any case. */
  void send(FrameType type, MessageLite message, ByteBuf payload) {
    try {
      awaitWritable();
    } catch (RuntimeException e) {
      payload.release();
      throw e;
    }
    FrameCodec.send(channel, type, message, payload, () -> {});
  }

  /** Says what is wrong; the session goes on. */
  void error(PageliftException failure) {
    send(FrameType.ERROR, Messages.toWire(failure, false));
  }

  /**
   * Says what is wrong and ends the connection, but not before the client has had time to read it: a close with received bytes
   * unread would reset the connection, and the client would lose the sentence. So only this direction is shut down; what still
   * comes in is read and discarded until the client closes or a bound passes.
   */
  void fatal(PageliftException failure) {
    FrameCodec.sendLast((DuplexChannel) channel, FrameType.ERROR, Messages.toWire(failure, true));
    channel.config().setAutoRead(true);
    closeLater();
  }

  private void closeLater() {
    Runnable close = () -> channel.close().addListener(done -> {});
    var timer = channel.eventLoop().schedule(close, LINGER_SECONDS, TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> timer.cancel(false));
  }

  /** Event loop: the channel became writable or closed. */
  void writabilityChanged() {
    synchronized (writability) {
      writability.notifyAll();
    }
  }

  private void awaitWritable() {
    long deadline = System.nanoTime() + bound.toNanos();
    try {
      synchronized (writability) {
        long left = bound.toMillis();
        while (!channel.isWritable() && channel.isActive() && left > 0) {
          writability.wait(left);
          left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while sending to " + peer(), e);
    }
    if (!channel.isActive()) {
      throw new PageliftException(ErrorCategory.REMOTE, "lost the connection to " + peer());
    }
    if (!channel.isWritable()) {
      channel.close().addListener(done -> {});
      throw new PageliftException(
          ErrorCategory.REMOTE, "the client " + peer() + " took nothing of its answer within " + bound.toSeconds() + " s");
    }
  }
}
