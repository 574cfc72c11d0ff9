package io.pagelift.pageserver.store;

import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.List;

/** One migration as the round that was the last committed one at opening left it. Used by one thread at a time. */
public interface MigrationReader extends AutoCloseable {
  /** Name of the migration. */
  String name();

  /** Highest committed round, 0 when none. */
  int lastRound();

  /** Tracking token of that round, empty when none. */
  String trackingToken();

  /** Whether that round carries the tree image. */
  boolean complete();

  /** Object ids below this one are taken. */
  long nextObjectId();

  /** The objects alive at the end of that round. */
  List<ObjectInfo> objects();

  /** Pages held for an object, merged over all rounds; empty when unknown. */
  PageRuns held(long objectId);

  /** The same with places, ascending by page. */
  List<PagePlace> places(long objectId);

  /**
   * Reads pages, checked, into a direct buffer.
   *
   * @param firstPage first page; the run must be held as a whole, otherwise USAGE
   * @param pageCount pages to read; {@code into} has room for them
   * @param into filled from its position, which moves
   */
  void readPages(long objectId, long firstPage, int pageCount, ByteBuffer into);

  /** Length in bytes of a blob of that round; USAGE when there is none of that name. */
  long imageBytes(String name);

  /** Reads a part of a blob, checked, into a buffer until it is full or the blob ends; its position moves. */
  void readImage(String name, long offsetBytes, ByteBuffer into);

  @Override
  void close();
}
