package io.pagelift.pageserver.session;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The connections whose HELLO has not been accepted yet, and what they may cost: {@link StrangerLimits}. Thread-safe.
 *
 * <p>When all places are taken the oldest stranger goes, not the newest: an honest client needs milliseconds, one that holds a place
 * for long is none. One address alone cannot take all places, nor all the time for handshakes.
 */
final class Strangers {
  /** Addresses whose rate is remembered; forgetting one early gives it at most one more burst. */
  private static final int REMEMBERED_ADDRESSES = 4096;

  private static final double NANOS_PER_SECOND = 1e9;

  /** Handshakes that an address may still make, filled up as time passes. */
  private static final class Allowance {
    double handshakes;
    long atNanos;

    Allowance(double handshakes, long atNanos) {
      this.handshakes = handshakes;
      this.atNanos = atNanos;
    }
  }

  private final StrangerLimits limits;
  private final boolean handshakesCost;
  private final LongSupplier nanoTime;
  private final Map<Channel, InetAddress> strangers = new LinkedHashMap<>();
  private final Map<InetAddress, Integer> perAddress = new HashMap<>();
  private final Map<InetAddress, Allowance> allowances =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, Allowance> eldest) {
          return size() > REMEMBERED_ADDRESSES;
        }
      };

  Strangers(StrangerLimits limits, boolean handshakesCost, LongSupplier nanoTime) {
    this.limits = limits;
    this.handshakesCost = handshakesCost;
    this.nanoTime = nanoTime;
  }

  /** Takes a new connection in; false when it must be closed at once. */
  boolean admit(Channel channel) {
    InetAddress address = ((InetSocketAddress) channel.remoteAddress()).getAddress();
    Channel oldest = null;
    synchronized (this) {
      if (perAddress.getOrDefault(address, 0) >= limits.connectionsPerAddress() || !takeHandshake(address)) {
        return false;
      }
      if (strangers.size() >= limits.connections()) {
        oldest = strangers.keySet().iterator().next();
        forget(oldest);
      }
      strangers.put(channel, address);
      perAddress.merge(address, 1, Integer::sum);
    }
    if (oldest != null) {
      close(oldest);
    }
    return true;
  }

  /** Closes below TLS, which would first wait for its handshake to say farewell. */
  static void close(Channel channel) {
    ChannelHandlerContext lowest = channel.pipeline().firstContext();
    if (lowest == null) {
      channel.close().addListener(done -> {});
    } else {
      lowest.close().addListener(done -> {});
    }
  }

  private boolean takeHandshake(InetAddress address) {
    if (!handshakesCost) {
      return true;
    }
    long now = nanoTime.getAsLong();
    Allowance allowance = allowances.computeIfAbsent(address, unknown -> new Allowance(limits.handshakeBurst(), now));
    double earned = (now - allowance.atNanos) / NANOS_PER_SECOND * limits.handshakesPerSecond();
    allowance.handshakes = Math.min(limits.handshakeBurst(), allowance.handshakes + earned);
    allowance.atNanos = now;
    if (allowance.handshakes < 1) {
      return false;
    }
    allowance.handshakes--;
    return true;
  }

  /** It is no stranger any more, or gone. */
  synchronized void forget(Channel channel) {
    InetAddress address = strangers.remove(channel);
    if (address != null) {
      perAddress.computeIfPresent(address, (same, count) -> lessOne(count));
    }
  }

  private static @Nullable Integer lessOne(int count) {
    return count == 1 ? null : count - 1;
  }

  /** How many there are. */
  synchronized int count() {
    return strangers.size();
  }
}
