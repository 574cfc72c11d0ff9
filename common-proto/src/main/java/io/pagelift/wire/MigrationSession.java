package io.pagelift.wire;

import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundBegun;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One migration opened for writing. The server lets one session at a time write a migration. Used by one thread at a time. */
public final class MigrationSession implements AutoCloseable {
  private final Connection connection;
  private final MigrationOpened opened;
  private int lastRound;
  private List<ObjectInfo> objects;
  private boolean roundOpen;

  MigrationSession(Connection connection, MigrationOpened opened) {
    this.connection = connection;
    this.opened = opened;
    this.lastRound = opened.getLastRound();
    this.objects = opened.getObjectsList();
  }

  /** What the server said when the migration was opened: last round, its tracking token, objects. */
  public MigrationOpened opened() {
    return opened;
  }

  /** Number of the last committed round, also of those committed since the session was opened; 0 when none. */
  public int lastRound() {
    return lastRound;
  }

  /**
   * Begins the round after {@link #lastRound}.
   *
   * @param tracker name of the dirty tracker, for the manifest
   * @param trackingToken names one unbroken run of dirty tracking
   */
  public RoundWriter beginRound(String tracker, String trackingToken) {
    if (roundOpen) {
      throw new IllegalStateException("round " + (lastRound + 1) + " is neither committed nor aborted yet");
    }
    int round = lastRound + 1;
    RoundBegin begin =
        RoundBegin.newBuilder()
            .setRound(round)
            .setTracker(tracker)
            .setTrackingToken(trackingToken)
            .setStartedUnixNanos(ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now()))
            .build();
    connection.call(
        FrameType.ROUND_BEGIN, begin, FrameType.ROUND_BEGUN, RoundBegun.class, "ROUND_BEGIN of round " + round,
        connection.options().replyTimeout());
    connection.resetWindow();
    roundOpen = true;
    return new RoundWriter(this, connection, round);
  }

  /** The pages of one object that the server holds after the last committed round; empty for an unknown object. */
  public PageRuns held(long objectId) {
    return Answers.held(connection, objectId);
  }

  /** {@link #held(long)} of every object alive at the end of the last committed round. */
  public Map<Long, PageRuns> held() {
    Map<Long, PageRuns> held = new LinkedHashMap<>();
    for (ObjectInfo object : objects) {
      held.put(object.getId(), held(object.getId()));
    }
    return held;
  }

  void committed(int round, List<ObjectInfo> alive) {
    lastRound = round;
    objects = List.copyOf(alive);
    roundOpen = false;
  }

  void aborted() {
    roundOpen = false;
  }

  @Override
  public void close() {
    connection.close();
  }
}
