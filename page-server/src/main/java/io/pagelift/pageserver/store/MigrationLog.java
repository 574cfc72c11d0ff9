package io.pagelift.pageserver.store;

import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.ObjectInfo;
import java.util.List;

/** The committed rounds of one migration, held by its only writer. Used by one thread at a time (not always the same). */
public interface MigrationLog extends AutoCloseable {
  /** Name of the migration. */
  String name();

  /** Highest committed round, 0 when none. */
  int lastRound();

  /** Tracking token of the last committed round, empty when none. */
  String trackingToken();

  /** Whether the last committed round carries the tree image. */
  boolean complete();

  /** Object ids below this one are taken; 1 when none is. */
  long nextObjectId();

  /** The objects alive at the end of the last committed round. */
  List<ObjectInfo> objects();

  /** Pages held for an object (DATA and ZERO) after the last committed round, merged over all rounds; empty when unknown. */
  PageRuns held(long objectId);

  /**
   * Begins the round after {@link #lastRound}; any other number, or a round already in progress, is a USAGE error.
   *
   * @param round number of the round
   * @param tracker name of the dirty tracker, recorded in the manifest
   * @param trackingToken names one unbroken run of dirty tracking, recorded in the manifest
   * @param startedUnixNanos the source's CLOCK_REALTIME at the beginning
   */
  RoundInProgress beginRound(int round, String tracker, String trackingToken, long startedUnixNanos);

  /** Lets another writer in. A round in progress is aborted. */
  @Override
  void close();
}
