package io.pagelift.pageserver.store;

import io.pagelift.common.PageRun;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.List;

/** A round that is being received. Called by one thread at a time (not always the same). Ends with commit or abort. */
public interface RoundInProgress {
  /**
   * Takes one batch of pages; later batches win over earlier ones.
   *
   * <p>The session has checked: 1 to 1024 runs, at most 256 DATA pages, payload length equal to the DATA pages.
   *
   * @param objectId what the pages belong to
   * @param runs in the order of their bytes
   * @param payload the DATA pages of all runs, direct, from position to limit; valid only during the call
   */
  void append(long objectId, List<PageRun> runs, ByteBuffer payload);

  /**
   * The same when the CRC32C of each page is known already, because it was computed to check the frame that brought them.
   *
   * @param pageChecksums one for each page of the payload
   */
  default void append(long objectId, List<PageRun> runs, ByteBuffer payload, int[] pageChecksums) {
    append(objectId, runs, payload);
  }

  /**
   * Takes one part of a named blob. Parts come in order without gaps.
   *
   * @param name such as "tree"; checked like a migration name
   * @param offsetBytes where this part begins
   * @param totalBytes length of the whole blob, the same in every part
   * @param payload the bytes; valid only during the call
   */
  void putImagePart(String name, long offsetBytes, long totalBytes, ByteBuffer payload);

  /**
   * Puts the round on stable storage: data, index, manifest and directory forced, in that order. After an exception the round is
   * aborted.
   *
   * @param objects all objects alive at the end of the round
   * @param complete the round carries the tree image; without a whole blob "tree" that is a USAGE error
   */
  RoundResult commit(List<ObjectInfo> objects, boolean complete);

  /** Forgets the round. Does nothing after commit or abort. */
  void abort();
}
