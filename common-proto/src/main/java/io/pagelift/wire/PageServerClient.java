package io.pagelift.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslHandler;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.ListReply;
import io.pagelift.wire.proto.ListRequest;
import io.pagelift.wire.proto.MigrationInfo;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.OpenMigration;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A page-server as its clients see it. Each session has its own connection; closing the client closes them all.
 *
 * <p>Failures are {@link PageliftException}: REMOTE when the server cannot be reached, does not answer in time or speaks another
 * protocol; otherwise the category that the server gave. Used by one thread at a time; sessions may live on other threads.
 */
public final class PageServerClient implements AutoCloseable {
  private static final long SHUTDOWN_MILLIS = 2000;

  private final HostPort server;
  private final ClientOptions options;
  private final EventLoopGroup group;
  private final List<Connection> connections = new ArrayList<>();
  private @Nullable Connection idle;

  private PageServerClient(HostPort server, ClientOptions options) {
    this.server = server;
    this.options = options;
    this.group = options.transport().newGroup(1, "pagelift-wire");
  }

  /** Connects and exchanges HELLO. */
  public static PageServerClient connect(HostPort server, ClientOptions options) {
    PageServerClient client = new PageServerClient(server, options);
    try {
      client.idle = client.open();
      return client;
    } catch (RuntimeException e) {
      client.close();
      throw e;
    }
  }

  /** Opens a migration for writing and makes it when it does not exist. One writer at a time. */
  public MigrationSession openForWriting(String name) {
    Connection connection = takeConnection();
    return new MigrationSession(connection, openMigration(connection, name, OpenMigration.Access.WRITE));
  }

  /** Opens a migration, which must exist, for reading. */
  public ReadingSession openForReading(String name) {
    Connection connection = takeConnection();
    return new ReadingSession(connection, openMigration(connection, name, OpenMigration.Access.READ));
  }

  /** Talks about which copy of a migration lives; the migration need not exist yet. */
  public HandoverSession openHandover(String name) {
    return new HandoverSession(this::open, takeConnection(), name);
  }

  /** All migrations that the server holds, ascending by name. */
  public List<MigrationInfo> list() {
    Connection connection = takeConnection();
    idle = connection;
    return connection
        .call(FrameType.LIST_REQUEST, ListRequest.getDefaultInstance(), FrameType.LIST_REPLY, ListReply.class, "LIST_REQUEST",
            options.replyTimeout())
        .getMigrationsList();
  }

  private MigrationOpened openMigration(Connection connection, String name, OpenMigration.Access access) {
    OpenMigration request =
        OpenMigration.newBuilder().setName(name).setAccess(access).setCreate(access == OpenMigration.Access.WRITE).build();
    try {
      return connection.call(
          FrameType.OPEN_MIGRATION, request, FrameType.MIGRATION_OPENED, MigrationOpened.class,
          "OPEN_MIGRATION of '" + name + "'", options.replyTimeout());
    } catch (RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private Connection takeConnection() {
    Connection ready = idle;
    idle = null;
    return ready != null && !ready.failed() ? ready : open();
  }

  private Connection open() {
    Connection connection = new Connection(server.toString(), options);
    connections.removeIf(Connection::failed);
    connections.add(connection);
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group)
            .channel(options.transport().socketChannel())
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(options.connectTimeout().toMillis()))
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    ClientTls tls = options.tls();
                    if (tls != null) {
                      channel.pipeline().addLast(handshake(tls, channel));
                    }
                    channel.pipeline().addLast(tls == null ? new FrameDecoder() : FrameDecoder.overTls(), connection);
                  }
                });
    options.transport().applyTo(bootstrap);
    ChannelFuture attempt = bootstrap.connect(server.host(), server.port());
    // Resolving a name has no bound of its own, so the wait has one.
    if (!attempt.awaitUninterruptibly(options.connectTimeout().plusSeconds(1).toMillis()) || !attempt.isSuccess()) {
      attempt.cancel(true);
      connection.close();
      throw cannotConnect(attempt.cause());
    }
    try {
      awaitHandshake(attempt.channel());
      exchangeHello(connection);
    } catch (RuntimeException e) {
      connection.close();
      throw e;
    }
    return connection;
  }

  private SslHandler handshake(ClientTls tls, Channel channel) {
    String name = tls.host();
    return tls.context()
        .client(channel.alloc(), name == null ? server.host() : name, server.port(), options.helloTimeout(), Runnable::run);
  }

  private void awaitHandshake(Channel channel) {
    SslHandler tls = channel.pipeline().get(SslHandler.class);
    if (tls != null) {
      // The handler has a bound of its own; this one is for a handler that never got to run.
      boolean done = tls.handshakeFuture().awaitUninterruptibly(options.helloTimeout().plusSeconds(1).toMillis());
      if (!done || !tls.handshakeFuture().isSuccess()) {
        throw TlsMessages.handshake(tls.handshakeFuture().cause(), server.toString(), Connection.seconds(options.helloTimeout()));
      }
    }
  }

  private void exchangeHello(Connection connection) {
    Hello theirs;
    try {
      theirs = connection.call(
          FrameType.HELLO, Messages.hello(options.software(), options.windowBytes()), FrameType.HELLO, Hello.class,
          "HELLO", options.helloTimeout());
    } catch (PageliftException e) {
      if (String.valueOf(e.getMessage()).equals("lost the connection to " + server)) {
        throw new PageliftException(
            ErrorCategory.REMOTE, server + " closed the connection instead of answering HELLO: is it a page-server" + (options.tls() == null ? ", and one without TLS?" : "?"), e);
      }
      throw e;
    }
    Messages.checkHello(theirs, server.toString());
    connection.grant(theirs.getLimits().getWindowBytes());
  }

  private PageliftException cannotConnect(@Nullable Throwable cause) {
    String why;
    if (cause instanceof io.netty.channel.ConnectTimeoutException || cause == null) {
      why = "no answer within " + Connection.seconds(options.connectTimeout());
    } else if (cause instanceof UnknownHostException || cause instanceof UnresolvedAddressException) {
      why = "the host name is unknown";
    } else if (cause instanceof ConnectException && String.valueOf(cause.getMessage()).contains("refused")) {
      why = "connection refused; is the page-server running there?";
    } else {
      why = String.valueOf(cause.getMessage());
    }
    return new PageliftException(ErrorCategory.REMOTE, "cannot connect to " + server + ": " + why, cause);
  }

  @Override
  public void close() {
    connections.forEach(Connection::close);
    connections.clear();
    group.shutdownGracefully(0, SHUTDOWN_MILLIS, TimeUnit.MILLISECONDS).awaitUninterruptibly(SHUTDOWN_MILLIS);
  }
}
