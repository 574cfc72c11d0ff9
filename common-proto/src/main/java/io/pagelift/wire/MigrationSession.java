package io.pagelift.wire;

import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.MigrationOpened;
import java.util.Map;

/** One migration opened for writing. The server lets one session at a time write a migration. Used by one thread at a time. */
@SuppressWarnings("DoNotCallSuggester")
public final class MigrationSession implements AutoCloseable {
  MigrationSession() {}

  /** What the server said when the migration was opened: last round, its tracking token, objects. */
  public MigrationOpened opened() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Number of the last committed round, also of those committed since the session was opened; 0 when none. */
  public int lastRound() {
    throw new UnsupportedOperationException("not written yet");
  }

  /**
   * Begins the round after {@link #lastRound}.
   *
   * @param tracker name of the dirty tracker, for the manifest
   * @param trackingToken names one unbroken run of dirty tracking
   */
  public RoundWriter beginRound(String tracker, String trackingToken) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The pages of one object that the server holds after the last committed round; empty for an unknown object. */
  public PageRuns held(long objectId) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** {@link #held(long)} of every object alive at the end of the last committed round. */
  public Map<Long, PageRuns> held() {
    throw new UnsupportedOperationException("not written yet");
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException("not written yet");
  }
}
