package io.pagelift.dumper.round;

import io.pagelift.common.HostPort;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.proto.MigrationOpened;

/** The migration at the page-server that this command writes. */
final class MigrationTarget implements AutoCloseable {
  private final PageServerClient client;
  private final MigrationSession session;
  private final String name;

  private MigrationTarget(PageServerClient client, MigrationSession session, String name) {
    this.client = client;
    this.session = session;
    this.name = name;
  }

  /** Connects and opens; makes the migration when it does not exist. */
  static MigrationTarget open(HostPort server, String name, ClientOptions options) {
    PageServerClient client = PageServerClient.connect(server, options);
    try {
      return new MigrationTarget(client, client.openForWriting(name), name);
    } catch (RuntimeException failure) {
      client.close();
      throw failure;
    }
  }

  MigrationSession session() {
    return session;
  }

  HandoverSession handover() {
    return client.openHandover(name);
  }

  MigrationOpened opened() {
    return session.opened();
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
