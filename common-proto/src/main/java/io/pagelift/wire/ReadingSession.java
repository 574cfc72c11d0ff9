package io.pagelift.wire;

import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.wire.proto.MigrationOpened;
import java.util.List;

/** One migration opened for reading. Used by one thread at a time. */
@SuppressWarnings("DoNotCallSuggester")
public final class ReadingSession implements AutoCloseable {
  ReadingSession() {}

  /** What the server said when the migration was opened. */
  public MigrationOpened opened() {
    throw new UnsupportedOperationException("not written yet");
  }

  /** A blob of the last committed round, such as "tree". */
  public byte[] image(String name) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The pages held for an object, merged over all rounds. */
  public PageRuns held(long objectId) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** The pages held for an object and where they lie in the store's segments, ascending by page. */
  public List<PagePlace> places(long objectId) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Reads pages, which must be held, in ascending order; the sink is called on this thread. */
  public void read(long objectId, PageRuns pages, PageSink sink) {
    throw new UnsupportedOperationException("not written yet");
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException("not written yet");
  }
}
