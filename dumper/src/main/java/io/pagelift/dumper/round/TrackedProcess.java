package io.pagelift.dumper.round;

import io.pagelift.dumper.memory.TrackedSpace;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.stub.TrackerHolder;
import org.jspecify.annotations.Nullable;

/**
 * One address space that takes part in the rounds, and what keeps its tracking for the next invocation.
 *
 * @param space the address space
 * @param holder holds the userfaultfd when this program has ended; null for trackers that need none
 * @param record the holder's {@link TrackingRecord}; null with the holder
 */
record TrackedProcess(TrackedSpace space, @Nullable TrackerHolder holder, @Nullable FileDescriptor record)
    implements AutoCloseable {
  int pid() {
    return space.pid();
  }

  /** Says in the record how far round {@code round} got. */
  void note(String token, int round, TrackingRecord.State state) {
    if (record != null) {
      new TrackingRecord(token, round, state).write(record);
    }
  }

  /** Ends the tracking for good. */
  void release() {
    if (holder != null) {
      holder.release();
    }
  }

  @Override
  public void close() {
    space.close();
    if (record != null) {
      record.close();
    }
  }
}
