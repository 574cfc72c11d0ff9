package io.pagelift.restorer.source;

import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.image.TreeImage;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageSink;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A complete migration: the image of its tree and the pages of its objects. Used by one thread at a time, except
 * {@link #check}, which any thread may call.
 *
 * <p>All methods throw {@link io.pagelift.common.PageliftException}: REMOTE, CORRUPT or REFUSED.
 */
public interface ImageSource extends AutoCloseable {
  /** For messages: {@code migration 'x' in /var/lib/store}. */
  String description();

  /** The round that carries the image. */
  int round();

  /** A session about which copy lives; REFUSED where no page-server is asked. */
  HandoverSession handover();

  /** The image; read and parsed each time. */
  TreeImage tree();

  /** The pages held for an object and where they lie, ascending by page; none for an object that is not known. */
  void forEachPlace(long objectId, Consumer<PagePlace> sink);

  /**
   * The file with the pages of a segment, page i at byte 4096 * i, if this host can open it: then a rebuilt process may read
   * its pages straight from it, and {@link #check} must be called for all pages that it reads.
   */
  Optional<Path> segmentFile(int segment);

  /** Reads pages that lie in a segment that can be opened here and compares them with their checksums. */
  void check(PagePlace place);

  /** Reads held pages, checked, in ascending order; the sink is called on this thread and never gets zero pages as null. */
  void read(long objectId, PageRuns pages, PageSink sink);

  @Override
  void close();
}
