package io.pagelift.pageserver.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/**
 * In front of TLS, until its handshake is done. Ends a connection that sends more than a handshake needs, before the engine has to
 * keep it.
 *
 * <p>A handshake that fails ends with an alert, and a close right after it with unread bytes would reset the connection before the
 * client could read why: so only this direction is closed, and what comes is discarded until the client closes or a bound passes.
 */
final class HandshakeBound extends ChannelDuplexHandler {
  private static final long LINGER_SECONDS = 2;

  private final int limitBytes;
  private long receivedBytes;
  private boolean closing;

  HandshakeBound(int limitBytes) {
    this.limitBytes = limitBytes;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    receivedBytes += ((ByteBuf) message).readableBytes();
    boolean tooMany = receivedBytes > limitBytes;
    if (tooMany || closing) {
      ReferenceCountUtil.release(message);
      if (tooMany) {
        ctx.close().addListener(closed -> {});
      }
      return;
    }
    ctx.fireChannelRead(message);
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (closing || !ctx.channel().isActive()) {
      ctx.close(promise).addListener(closed -> {});
      return;
    }
    closing = true;
    ctx.channel().config().setAutoRead(true);
    ((DuplexChannel) ctx.channel()).shutdownOutput().addListener(done -> {});
    Runnable close = () -> ctx.close(promise).addListener(closed -> {});
    var timer = ctx.executor().schedule(close, LINGER_SECONDS, TimeUnit.SECONDS);
    ctx.channel().closeFuture().addListener(closed -> timer.cancel(false));
  }
}
