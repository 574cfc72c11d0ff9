package io.pagelift.wire;

import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.BatchAck;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.Ping;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of one connection: sends frames, waits for replies, keeps the window.
 *
 * <p>One thread sends and waits; Netty's event loop delivers. They meet in {@link #lock}. Replies that nobody has taken yet are
 * bounded: past {@link #REPLY_QUEUE_BYTES} the socket is no longer read, and TCP holds the server back.
 *
 * <p>The first failure (lost connection, ERROR frame, bytes that are no frame) ends the connection and is what every later call
 * throws.
 */
final class Connection extends ChannelInboundHandlerAdapter implements AutoCloseable {
  /** A few frames of page data, so that the next is here while one is written to its place. */
  private static final long REPLY_QUEUE_BYTES = 4L << 20;


  private static final long PING_SECONDS = 60;

  private static final long CLOSE_MILLIS = 2000;

  private final String peer;
  private final ClientOptions options;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Frame> replies = new ArrayDeque<>();
  private final PageBatchPool buffers = new PageBatchPool(this::signal);
  private Window window;
  private long replyBytes;
  private @Nullable PageliftException failure;
  private boolean closed;
  private @Nullable Channel channel;

  Connection(String peer, ClientOptions options) {
    this.peer = peer;
    this.options = options;
    this.window = new Window(options.windowBytes());
  }

  String peer() {
    return peer;
  }

  ClientOptions options() {
    return options;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    lock.lock();
    try {
      channel = ctx.channel();
    } finally {
      lock.unlock();
    }
  }

  /** The server's grant from its HELLO, as far as this end wants to use it. */
  void grant(long windowBytes) {
    lock.lock();
    try {
      window = new Window(Math.min(windowBytes, options.windowBytes()));
    } finally {
      lock.unlock();
    }
    // Between two rounds nothing else is sent, and a server ends connections that are silent for long.
    Channel open = channel();
    Ping ping = Ping.getDefaultInstance();
    var timer =
        open.eventLoop()
            .scheduleWithFixedDelay(() -> FrameCodec.send(open, FrameType.PING, ping), PING_SECONDS, PING_SECONDS, TimeUnit.SECONDS);
    open.closeFuture().addListener(closed -> timer.cancel(false));
  }

  // ---- sending

  /** Sends a request or notice without payload. */
  void send(FrameType type, MessageLite message) {
    checkUsable();
    FrameCodec.send(channel(), type, message);
  }

  /**
   * Sends a frame that counts against the window; waits, with a bound, until it fits.
   *
   * @param payload released in any case
   * @param done called in any case, when the payload's memory may be used again
   */
  void sendCounted(long sequence, FrameType type, MessageLite message, ByteBuf payload, Runnable done) {
    long bytes = (long) message.getSerializedSize() + payload.readableBytes();
    try {
      await(
          () -> window.admits(bytes) ? Boolean.TRUE : null,
          options.replyTimeout(),
          () -> "no acknowledgement from " + peer + " of what was sent (" + (window.inFlightBytes() >> 10) + " KiB)");
      lock.lock();
      try {
        window.sent(sequence, bytes);
      } finally {
        lock.unlock();
      }
    } catch (RuntimeException e) {
      payload.release();
      done.run();
      throw e;
    }
    FrameCodec.send(channel(), type, message, payload, done);
  }

  /** A free buffer of the pool; waits, with a bound, for one. */
  PageBatchBuffer acquireBuffer() {
    return await(buffers::poll, options.replyTimeout(), () -> peer + " took nothing of what is being sent");
  }

  /** Forgets what is in flight: a new round numbers its frames anew. */
  void resetWindow() {
    lock.lock();
    try {
      window.clear();
    } finally {
      lock.unlock();
    }
  }

  // ---- waiting

  /** Sends a request and waits for its reply. The question names it in messages: "ROUND_COMMIT of round 3". */
  <M extends MessageLite> M call(
      FrameType request, MessageLite message, FrameType reply, Class<M> kind, String question, Duration bound) {
    send(request, message);
    Frame frame = awaitReply(reply, question, bound);
    try {
      return frame.message(kind);
    } finally {
      frame.release();
    }
  }

  /** The next reply, which must be of this type; the caller releases it. */
  Frame awaitReply(FrameType type, String question, Duration bound) {
    Frame frame = await(this::pollReply, bound, () -> "no answer from " + peer + " to " + question);
    if (frame.type() == type) {
      return frame;
    }
    try {
      if (frame.type() == FrameType.ERROR) {
        throw Messages.fromWire(frame.message(Error.class), peer);
      }
      throw fail(new PageliftException(
          ErrorCategory.REMOTE, peer + " answered " + question + " with " + frame.type() + " instead of " + type));
    } finally {
      frame.release();
    }
  }

  private @Nullable Frame pollReply() {
    Frame frame = replies.pollFirst();
    if (frame != null) {
      replyBytes -= frame.lengthBytes();
      if (replyBytes < REPLY_QUEUE_BYTES / 2 && !channel().config().isAutoRead()) {
        channel().config().setAutoRead(true);
      }
    }
    return frame;
  }

  /** Waits until the condition gives a value; every change of state asks it again. */
  private <T> T await(Supplier<@Nullable T> condition, Duration bound, Supplier<String> what) {
    lock.lock();
    try {
      long nanos = bound.toNanos();
      while (true) {
        T value = condition.get();
        if (value != null) {
          return value;
        }
        throwIfFailed();
        if (nanos <= 0) {
          throw fail(new PageliftException(ErrorCategory.REMOTE, what.get() + " within " + seconds(bound)));
        }
        nanos = changed.awaitNanos(nanos);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "interrupted while waiting for " + peer, e);
    } finally {
      lock.unlock();
    }
  }

  static String seconds(Duration bound) {
    return bound.toMillis() % 1000 == 0 ? bound.toSeconds() + " s" : bound.toMillis() + " ms";
  }

  // ---- failure

  /** Whether nothing can be sent any more. */
  boolean failed() {
    lock.lock();
    try {
      return failure != null || closed;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the connection for a reason found by the caller, and gives the exception to throw. */
  PageliftException fail(PageliftException reason) {
    lock.lock();
    try {
      if (failure == null) {
        failure = reason;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    Channel open = channel;
    if (open != null) {
      open.close().addListener(done -> signal());
    }
    return reason;
  }

  private void checkUsable() {
    lock.lock();
    try {
      throwIfFailed();
    } finally {
      lock.unlock();
    }
  }

  private void throwIfFailed() {
    PageliftException first = failure;
    if (first != null) {
      throw new PageliftException(first.category(), String.valueOf(first.getMessage()), first);
    }
    if (closed) {
      throw new IllegalStateException("the session with " + peer + " is closed");
    }
  }

  private Channel channel() {
    Channel open = channel;
    if (open == null) {
      throw new IllegalStateException("not connected to " + peer);
    }
    return open;
  }

  private void signal() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  // ---- event loop

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    Frame frame = (Frame) message;
    boolean kept = false;
    try {
      kept = switch (frame.type()) {
        case PONG -> false;
        case BATCH_ACK -> acknowledged(frame.message(BatchAck.class).getSequence());
        case ERROR -> fatalError(frame) ? false : enqueue(ctx, frame);
        default -> enqueue(ctx, frame);
      };
    } catch (PageliftException e) {
      fail(describe(e));
    } finally {
      if (!kept) {
        frame.release();
      }
    }
  }

  private boolean acknowledged(long sequence) {
    lock.lock();
    try {
      if (!window.acknowledged(sequence)) {
        throw new PageliftException(
            ErrorCategory.REMOTE, peer + " acknowledged batch " + Long.toUnsignedString(sequence) + ", which is not in flight");
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return false;
  }

  private boolean fatalError(Frame frame) {
    Error error = frame.message(Error.class);
    if (error.getFatal()) {
      fail(Messages.fromWire(error, peer));
    }
    return error.getFatal();
  }

  private boolean enqueue(ChannelHandlerContext ctx, Frame frame) {
    lock.lock();
    try {
      if (closed || failure != null) {
        return false;
      }
      replies.addLast(frame);
      replyBytes += frame.lengthBytes();
      if (replyBytes >= REPLY_QUEUE_BYTES) {
        ctx.channel().config().setAutoRead(false);
      }
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(new PageliftException(ErrorCategory.REMOTE, "lost the connection to " + peer));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    fail(describe(cause));
  }

  private PageliftException describe(Throwable cause) {
    if (cause instanceof FrameException frame && frame.fault() == FrameException.Fault.NOT_PAGELIFT) {
      return new PageliftException(
          ErrorCategory.REMOTE, peer + " is not a page-server: " + cause.getMessage() + "; check host and port", cause);
    }
    if (cause instanceof FrameException frame && frame.fault() == FrameException.Fault.TRUNCATED) {
      return new PageliftException(ErrorCategory.REMOTE, "lost the connection to " + peer + " inside an answer", cause);
    }
    PageliftException tls = TlsMessages.of(cause, peer);
    if (tls != null) {
      return tls;
    }
    if (cause instanceof PageliftException known) {
      return new PageliftException(known.category(), "from " + peer + ": " + cause.getMessage(), cause);
    }
    return new PageliftException(
        ErrorCategory.REMOTE, "lost the connection to " + peer + " (" + String.valueOf(cause.getMessage()) + ")", cause);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      replies.forEach(Frame::release);
      replies.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    Channel open = channel;
    if (open != null) {
      open.close().awaitUninterruptibly(CLOSE_MILLIS);
    }
  }
}
