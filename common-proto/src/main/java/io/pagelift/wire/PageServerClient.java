package io.pagelift.wire;

import io.pagelift.common.HostPort;
import io.pagelift.wire.proto.MigrationInfo;
import java.util.List;

/**
 * A page-server as its clients see it. Each session has its own connection; closing the client closes them all.
 *
 * <p>Failures are {@link io.pagelift.common.PageliftException}: REMOTE when the server cannot be reached, does not answer in time or
 * speaks another protocol; otherwise the category that the server gave.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class PageServerClient implements AutoCloseable {
  PageServerClient() {}

  /** Connects and exchanges HELLO. */
  public static PageServerClient connect(HostPort server, ClientOptions options) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Opens a migration for writing and makes it when it does not exist. One writer at a time. */
  public MigrationSession openForWriting(String name) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** Opens a migration, which must exist, for reading. */
  public ReadingSession openForReading(String name) {
    throw new UnsupportedOperationException("not written yet");
  }

  /** All migrations that the server holds, ascending by name. */
  public List<MigrationInfo> list() {
    throw new UnsupportedOperationException("not written yet");
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException("not written yet");
  }
}
