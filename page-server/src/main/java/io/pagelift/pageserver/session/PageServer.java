package io.pagelift.pageserver.session;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslHandler;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.tls.TlsContext;
import io.pagelift.wire.FrameDecoder;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Listens for clients and gives each connection a session on a page store.
 *
 * <p>Threads: two event loops move bytes; each session's frames are worked off one by one on a worker thread, where checksums,
 * the store and everything that may block live. Workers come and go with the sessions.
 */
public final class PageServer implements AutoCloseable {
  private static final int EVENT_LOOPS = 2;

  /** What may wait for a slow reader, per connection, before its worker waits too. */
  private static final WriteBufferWaterMark WRITE_WATER_MARK = new WriteBufferWaterMark(1 << 20, 2 << 20);

  /** Bound for sessions to end at shutdown; the longest step is forcing a round to disk. */
  private static final long SHUTDOWN_SECONDS = 60;

  private final PageStore store;
  private final ServerOptions options;
  private final EventLoopGroup group;
  private final ExecutorService workers = Executors.newCachedThreadPool(PageServer::workerThread);
  private final Set<Channel> sessions = ConcurrentHashMap.newKeySet();
  private final Set<Channel> greeted = ConcurrentHashMap.newKeySet();
  private final Strangers strangers;

  /** Two: as much of the machine as handshakes may take. The queue is as long as there are strangers. */
  private final ExecutorService handshakes = Executors.newFixedThreadPool(2, PageServer::handshakeThread);

  private final OpenRounds openRounds = new OpenRounds();
  private final WriterTurns turns = new WriterTurns();
  private final Handovers handovers;
  private final AtomicLong queuedBytes = new AtomicLong();
  private @Nullable Channel listener;

  private PageServer(PageStore store, ServerOptions options) {
    this.store = store;
    this.options = options;
    this.handovers = new Handovers(store);
    this.strangers = new Strangers(options.strangers(), options.tls() != null, System::nanoTime);
    this.group = options.transport().newGroup(EVENT_LOOPS, "pagelift-server");
  }

  /**
   * Starts to listen.
   *
   * @param store stays the caller's, who closes it after this server
   * @throws PageliftException REFUSED when the address cannot be listened on
   */
  public static PageServer start(PageStore store, ServerOptions options) {
    PageServer server = new PageServer(store, options);
    try {
      server.listen();
      return server;
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /** Where it listens, with the port that was chosen. */
  public HostPort address() {
    Channel open = listener;
    if (open == null) {
      throw new IllegalStateException("not listening");
    }
    InetSocketAddress address = (InetSocketAddress) open.localAddress();
    return new HostPort(address.getAddress().getHostAddress(), address.getPort());
  }

  /** Connections whose session has not ended. */
  public int sessionCount() {
    return sessions.size();
  }

  /** Connections whose HELLO has not been accepted yet. */
  public int strangerCount() {
    return strangers.count();
  }

  /** Rounds that are neither committed nor given up. */
  public int openRoundCount() {
    return openRounds.count();
  }

  /** Bytes of received frames that wait for workers, in all sessions together. */
  public long queuedBytes() {
    return queuedBytes.get();
  }

  private void listen() {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(options.transport().serverSocketChannel())
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WRITE_WATER_MARK)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept(channel);
                  }
                });
    options.transport().applyTo(bootstrap);
    ChannelFuture bound = bootstrap.bind(options.address(), options.port()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw cannotListen(bound.cause());
    }
    listener = bound.channel();
  }

  private void accept(Channel channel) {
    if (!strangers.admit(channel)) {
      options.events().notLetIn();
      channel.close().addListener(done -> {});
      return;
    }
    sessions.add(channel);
    channel.closeFuture().addListener(closed -> strangers.forget(channel));
    Outbound out = new Outbound(channel, options.writeTimeout());
    ClientRights rights = new ClientRights(options.tls());
    Session session = new Session(store, turns, handovers, openRounds, options.events(), options.software(), out, rights, new Place(channel));
    FrameQueue queue = new FrameQueue(channel, workers, session, queuedBytes);
    SessionChannel end = new SessionChannel(queue, out, rights, options);
    TlsContext tls = options.tls();
    if (tls == null) {
      channel.pipeline().addLast(new FrameDecoder(), end);
    } else {
      StrangerLimits limits = options.strangers();
      SslHandler encryption = tls.server(channel.alloc(), limits.handshakeTimeout(), handshakes);
      channel.pipeline().addLast(new HandshakeBound(limits.handshakeBytes()), encryption, FrameDecoder.overTls(), end);
    }
  }

  /** The place of one connection among those that are served. */
  private final class Place implements Session.Place {
    private final Channel channel;

    Place(Channel channel) {
      this.channel = channel;
    }

    @Override
    public void take() {
      strangers.forget(channel);
      if (!greeted.add(channel) || greeted.size() <= options.maxConnections()) {
        return;
      }
      greeted.remove(channel);
      throw new PageliftException(
          ErrorCategory.EXHAUSTED, "all " + options.maxConnections() + " connections are in use; try again later");
    }

    @Override
    public void giveBack() {
      greeted.remove(channel);
      sessions.remove(channel);
    }
  }

  private PageliftException cannotListen(Throwable cause) {
    String where = new HostPort(options.address(), options.port()).toString();
    String why;
    if (cause instanceof UnknownHostException || cause instanceof UnresolvedAddressException) {
      why = "the address is unknown";
    } else if (cause instanceof BindException || String.valueOf(cause.getMessage()).contains("bind")) {
      why = bindFailure(String.valueOf(cause.getMessage()));
    } else {
      why = String.valueOf(cause.getMessage());
    }
    return new PageliftException(ErrorCategory.REFUSED, "cannot listen on " + where + ": " + why, cause);
  }

  private static String bindFailure(String message) {
    if (message.contains("in use")) {
      return "the port is in use; choose another --port or stop the program that has it";
    }
    if (message.contains("denied")) {
      return "permission denied; ports below 1024 are for root";
    }
    return message.contains("assign") ? "the address is not one of this host" : message;
  }

  private static Thread handshakeThread(Runnable work) {
    return daemon(work, "pagelift-handshake");
  }

  private static Thread workerThread(Runnable work) {
    return daemon(work, "pagelift-session");
  }

  private static Thread daemon(Runnable work, String name) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Begins nothing new, which clients are told, and waits until the rounds that run are committed or given up.
   *
   * @return how many are still open when the bound has passed
   */
  public int drain(Duration bound) {
    return openRounds.drain(bound);
  }

  /** Stops listening, ends all sessions (rounds in progress are given up, a commit is finished) and waits for them, with a bound. */
  @Override
  public void close() {
    Channel open = listener;
    if (open != null) {
      open.close().awaitUninterruptibly();
    }
    sessions.forEach(Strangers::close);
    awaitSessions();
    group.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).awaitUninterruptibly();
    workers.shutdown();
    handshakes.shutdown();
  }

  private void awaitSessions() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SHUTDOWN_SECONDS);
    try {
      while (!sessions.isEmpty() && System.nanoTime() < deadline) {
        TimeUnit.MILLISECONDS.sleep(2);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
