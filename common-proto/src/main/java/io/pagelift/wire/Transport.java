package io.pagelift.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;

/** How sockets are driven: epoll where its native library loads, otherwise the JDK's own. Both behave the same. */
public enum Transport {
  /** Linux epoll through Netty's native library. */
  EPOLL,
  /** The JDK's channels. */
  NIO;

  /** Seconds without an answer after which a vanished peer is given up: first probe after 20 s, four more 5 s apart. */
  private static final int KEEPALIVE_IDLE_SECONDS = 20;

  private static final int KEEPALIVE_INTERVAL_SECONDS = 5;
  private static final int KEEPALIVE_PROBES = 5;

  /** Sent bytes that the peer's kernel has not confirmed for so long mean that it is gone. */
  private static final int USER_TIMEOUT_MILLIS = 45_000;

  /**
   * Direct memory from a pool of 4 MiB chunks; one arena, so that chunks are shared by all threads and the sum stays near what is
   * in use. (Netty's default, the adaptive allocator, does not pool buffers of 1 MiB.)
   */
  private static final class Memory {
    static final ByteBufAllocator POOL = new PooledByteBufAllocator(true, 0, 1, 8192, 9, 0, 0, false);
  }

  /** Epoll, unless it is not available here or the system property {@code pagelift.transport} is {@code nio}. */
  public static Transport best() {
    return "nio".equals(System.getProperty("pagelift.transport")) || !Epoll.isAvailable() ? NIO : EPOLL;
  }

  /** Daemon threads that drive sockets. */
  public EventLoopGroup newGroup(int threads, String threadName) {
    IoHandlerFactory handler = this == EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(threadName, true), handler);
  }

  /** The class of connected sockets. */
  public Class<? extends SocketChannel> socketChannel() {
    return this == EPOLL ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  /** The class of listening sockets. */
  public Class<? extends ServerSocketChannel> serverSocketChannel() {
    return this == EPOLL ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
  }

  /**
   * Options of every connection. Socket buffer sizes are left alone: the kernel tunes them up to net.ipv4.tcp_rmem and tcp_wmem,
   * while a size that is set stops the tuning and is cut to net.core.rmem_max, 208 KiB on a stock Debian.
   */
  public void applyTo(Bootstrap bootstrap) {
    apply(bootstrap::option);
  }

  /** The same for connections that a server accepts. */
  public void applyTo(ServerBootstrap bootstrap) {
    apply(bootstrap::childOption);
  }

  private void apply(OptionSetter setter) {
    setter.set(ChannelOption.ALLOCATOR, Memory.POOL);
    setter.set(ChannelOption.TCP_NODELAY, true);
    setter.set(ChannelOption.SO_KEEPALIVE, true);
    if (this == EPOLL) {
      setter.set(EpollChannelOption.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS);
      setter.set(EpollChannelOption.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS);
      setter.set(EpollChannelOption.TCP_KEEPCNT, KEEPALIVE_PROBES);
      setter.set(EpollChannelOption.TCP_USER_TIMEOUT, USER_TIMEOUT_MILLIS);
    }
  }

  private interface OptionSetter {
    <T> Object set(ChannelOption<T> option, T value);
  }
}
