package io.pagelift.wire;

import java.util.ArrayDeque;

/**
 * Counts what was sent and not yet acknowledged. Not thread-safe: {@link Connection} calls it under its lock.
 *
 * <p>Frames without payload cost their header, so that a flood of ZERO runs is bounded too.
 */
final class Window {
  private record Sent(long sequence, long bytes) {}

  private final long limitBytes;
  private final ArrayDeque<Sent> unacknowledged = new ArrayDeque<>();
  private long inFlightBytes;

  Window(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  /** Whether a frame may be sent now. One frame may always be in flight. */
  boolean admits(long bytes) {
    return inFlightBytes == 0 || inFlightBytes + bytes <= limitBytes;
  }

  void sent(long sequence, long bytes) {
    unacknowledged.addLast(new Sent(sequence, bytes));
    inFlightBytes += bytes;
  }

  /** Frees everything up to a sequence number; false when that was never sent. */
  boolean acknowledged(long sequence) {
    boolean found = false;
    while (!unacknowledged.isEmpty() && unacknowledged.getFirst().sequence() <= sequence) {
      Sent sent = unacknowledged.removeFirst();
      inFlightBytes -= sent.bytes();
      found = found || sent.sequence() == sequence;
    }
    return found;
  }

  /** Sequence numbers begin anew with each round. */
  void clear() {
    unacknowledged.clear();
    inFlightBytes = 0;
  }

  long inFlightBytes() {
    return inFlightBytes;
  }
}
