package io.pagelift.restorer.source;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.image.TreeImage;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.PageSink;
import io.pagelift.wire.ReadingSession;
import io.pagelift.wire.proto.MigrationInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A migration that a page-server serves. */
final class ServerSource implements ImageSource {
  private final HostPort server;
  private final String name;
  private final PageServerClient client;
  private final ReadingSession session;

  private ServerSource(HostPort server, String name, PageServerClient client) {
    this.server = server;
    this.name = name;
    this.client = client;
    this.session = client.openForReading(name);
  }

  /**
   * Connects and opens a migration.
   *
   * @param name empty: the only complete one
   */
  static ServerSource open(HostPort server, String name, ClientOptions options) {
    PageServerClient client = PageServerClient.connect(server, options);
    try {
      return new ServerSource(server, name.isEmpty() ? onlyComplete(server, client) : name, client);
    } catch (RuntimeException e) {
      client.close();
      throw e;
    }
  }

  private static String onlyComplete(HostPort server, PageServerClient client) {
    List<String> complete = new ArrayList<>();
    for (MigrationInfo migration : client.list()) {
      if (migration.getComplete()) {
        complete.add(migration.getName());
      }
    }
    return OnlyComplete.of(complete, "the page-server " + server);
  }

  @Override
  public String description() {
    return "migration '" + name + "' at " + server;
  }

  @Override
  public int round() {
    return session.opened().getLastRound();
  }

  @Override
  public HandoverSession handover() {
    return client.openHandover(name);
  }

  @Override
  public TreeImage tree() {
    try {
      return TreeImage.parseFrom(session.image("tree"));
    } catch (InvalidProtocolBufferException e) {
      throw new PageliftException(
          ErrorCategory.CORRUPT, "The tree image of " + description() + " can't be read: " + e.getMessage() + ".", e);
    }
  }

  @Override
  public void forEachPlace(long objectId, Consumer<PagePlace> sink) {
    session.forEachPlace(objectId, sink);
  }

  @Override
  public Optional<Path> segmentFile(int segment) {
    return Optional.empty();
  }

  @Override
  public void check(PagePlace place) {
    // The server checks each page that it sends, and each frame has a checksum of its own.
  }

  @Override
  public void read(long objectId, PageRuns pages, PageSink sink) {
    session.read(objectId, pages, sink);
  }

  @Override
  public void close() {
    try {
      session.close();
    } finally {
      client.close();
    }
  }
}
