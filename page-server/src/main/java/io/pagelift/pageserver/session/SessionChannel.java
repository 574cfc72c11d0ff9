package io.pagelift.pageserver.session;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.PeerIdentity;
import io.pagelift.tls.TlsFailures;
import io.pagelift.wire.Frame;
import io.pagelift.wire.FrameException;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.jspecify.annotations.Nullable;

/** The event loop's end of a session: hands frames to the queue and does nothing that could take time. */
final class SessionChannel extends ChannelInboundHandlerAdapter {
  /**
   * What a client may have in flight. Most of it lies in socket buffers: this end reads no further when {@link
   * FrameQueue#QUEUE_BYTES} wait.
   */
  static final int WINDOW_BYTES = 16 << 20;

  private static final int IDLE_LOOKS = 8;

  private static final Logger LOG = LoggerFactory.getLogger(SessionChannel.class);

  private final FrameQueue queue;
  private final Outbound out;
  private final ClientRights rights;
  private final Duration helloTimeout;
  private final Duration idleTimeout;
  private final SessionEvents events;
  private @Nullable ScheduledFuture<?> helloTimer;
  private @Nullable ScheduledFuture<?> idleTimer;
  private long lastFrameNanos = System.nanoTime();

  SessionChannel(FrameQueue queue, Outbound out, ClientRights rights, ServerOptions options) {
    this.queue = queue;
    this.out = out;
    this.rights = rights;
    this.helloTimeout = options.helloTimeout();
    this.idleTimeout = options.idleTimeout();
    this.events = options.events();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    helloTimer =
        ctx.executor()
            .schedule(
                () ->
                    queue.broken(
                        new PageliftException(
                            ErrorCategory.REMOTE, "no HELLO came within " + helloTimeout.toMillis() + " ms")),
                helloTimeout.toMillis(),
                TimeUnit.MILLISECONDS);
    long lookMillis = Math.max(1, idleTimeout.toMillis() / IDLE_LOOKS);
    idleTimer = ctx.executor().scheduleWithFixedDelay(this::endIfIdle, lookMillis, lookMillis, TimeUnit.MILLISECONDS);
    ctx.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        identify(ctx);
      } else {
        events.notLetIn();
        LOG.warn("{}: not let in: {}", out.peer(), TlsFailures.reason(handshake.cause()));
        ctx.close().addListener(closed -> {});
      }
    }
    ctx.fireUserEventTriggered(event);
  }

  private void identify(ChannelHandlerContext ctx) {
    try {
      PeerIdentity client = PeerIdentity.of(ctx.pipeline().get(SslHandler.class).engine().getSession());
      out.identified(client.name());
      rights.identified(client);
      ctx.pipeline().remove(HandshakeBound.class);
      LOG.info("{}: certificate {} may {}", out.peer(), client.serial(), client.grants());
    } catch (SSLPeerUnverifiedException e) {
      LOG.warn("{}: not let in: it has shown no certificate", out.peer());
      ctx.close().addListener(closed -> {});
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    stopHelloTimer();
    lastFrameNanos = System.nanoTime();
    queue.add((Frame) message);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    out.writabilityChanged();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    stopHelloTimer();
    stopIdleTimer();
    out.writabilityChanged();
    queue.end();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof FrameException frame) {
      queue.broken(frame);
      return;
    }
    if (!TlsFailures.isTls(cause)) {
      LOG.debug("{}: connection failed", out.peer(), cause);
    }
    ctx.close().addListener(closed -> {});
  }

  /** A frame that is only begun is no request either: a peer that lets its bytes drip ends here too. */
  private void endIfIdle() {
    if (!queue.idle()) {
      lastFrameNanos = System.nanoTime();
    } else if (System.nanoTime() - lastFrameNanos > idleTimeout.toNanos()) {
      stopIdleTimer();
      queue.broken(
          new PageliftException(ErrorCategory.REMOTE, "no request came within " + idleTimeout.toMillis() + " ms: the connection is ended"));
    }
  }

  private void stopIdleTimer() {
    ScheduledFuture<?> timer = idleTimer;
    if (timer != null) {
      timer.cancel(false);
      idleTimer = null;
    }
  }

  private void stopHelloTimer() {
    ScheduledFuture<?> timer = helloTimer;
    if (timer != null) {
      timer.cancel(false);
      helloTimer = null;
    }
  }
}
