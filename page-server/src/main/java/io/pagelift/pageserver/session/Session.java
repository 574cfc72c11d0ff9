package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.MigrationLog;
import io.pagelift.pageserver.store.MigrationReader;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.tls.Grants.Right;
import io.pagelift.wire.Frame;
import io.pagelift.wire.FrameException;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.Messages;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.ListReply;
import io.pagelift.wire.proto.MigrationInfo;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.OpenMigration;
import io.pagelift.wire.proto.Ping;
import io.pagelift.wire.proto.Pong;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection as the server's workers see it: HELLO, then requests; after OPEN_MIGRATION what the {@link Role} knows.
 *
 * <p>A request that cannot be met is answered with an ERROR, and the session goes on. What leaves no common ground (bytes that are
 * no frame, frames out of order, pages that the store could not take) ends it.
 */
final class Session implements FrameQueue.Consumer {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final PageStore store;
  private final WriterTurns turns;
  private final Handovers handovers;
  private final String software;
  private final Outbound out;
  private final ClientRights rights;
  private final OpenRounds openRounds;
  private final SessionEvents events;
  private final Place place;
  private @Nullable Role role;
  private @Nullable String written;
  private boolean greeted;
  private boolean over;

  /** The connection's place among those that are served. */
  interface Place {
    /** Takes it, once HELLO has come; throws EXHAUSTED when there is none. */
    void take();

    /** The session has ended. */
    void giveBack();
  }

  Session(
      PageStore store,
      WriterTurns turns,
      Handovers handovers,
      OpenRounds openRounds,
      SessionEvents events,
      String software,
      Outbound out,
      ClientRights rights,
      Place place) {
    this.store = store;
    this.turns = turns;
    this.handovers = handovers;
    this.software = software;
    this.out = out;
    this.rights = rights;
    this.openRounds = openRounds;
    this.events = events;
    this.place = place;
  }

  @Override
  public void take(Frame frame, boolean more) {
    if (over) {
      return;
    }
    events.received(frame.lengthBytes());
    try {
      dispatch(frame, more);
    } catch (FrameException e) {
      finish(e);
    } catch (PageliftException e) {
      answerFailure(frame, e);
    } catch (OutOfMemoryError e) {
      finish(new PageliftException(ErrorCategory.EXHAUSTED, "the page-server is out of memory", e));
    } catch (RuntimeException | Error e) {
      LOG.error("{}: a {} frame failed", out.peer(), frame.type(), e);
      finish(new PageliftException(ErrorCategory.INTERNAL, "internal error (" + e + "); the page-server's log has more", e));
    }
  }

  private void dispatch(Frame frame, boolean more) {
    if (!greeted) {
      hello(frame);
      return;
    }
    if (frame.type() == FrameType.PING) {
      out.send(FrameType.PONG, Pong.newBuilder().setNonce(frame.message(Ping.class).getNonce()).build());
      return;
    }
    Role current = role;
    if (current != null) {
      current.take(frame, more);
      return;
    }
    switch (frame.type()) {
      case OPEN_MIGRATION -> open(frame.message(OpenMigration.class));
      case LIST_REQUEST -> {
        frame.message(io.pagelift.wire.proto.ListRequest.class);
        out.send(FrameType.LIST_REPLY, ListReply.newBuilder().addAllMigrations(visible()).build());
      }
      case HANDOVER, ROUND_WAIT -> {
        HandoverRole side = new HandoverRole(handovers, out, rights);
        role = side;
        side.take(frame, more);
      }
      default -> throw frame.malformed("it came before OPEN_MIGRATION");
    }
  }

  private List<MigrationInfo> visible() {
    return store.list().stream().filter(migration -> rights.maySee(migration.getName())).toList();
  }

  private void hello(Frame frame) {
    if (frame.type() != FrameType.HELLO) {
      throw frame.malformed("it came before HELLO");
    }
    Hello hello = frame.message(Hello.class);
    place.take();
    openRounds.checkServing();
    try {
      Messages.checkHello(hello, "the client");
    } catch (PageliftException e) {
      finish(e);
      return;
    }
    greeted = true;
    LOG.debug("{}: HELLO from {}", out.peer(), Messages.printable(hello.getSoftware()));
    out.send(FrameType.HELLO, Messages.hello(software, SessionChannel.WINDOW_BYTES));
  }

  private void open(OpenMigration request) {
    Names.check(request.getName(), "the name of a migration");
    switch (request.getAccess()) {
      case WRITE -> openForWriting(request);
      case READ -> openForReading(request);
      default -> throw new PageliftException(ErrorCategory.USAGE, "OPEN_MIGRATION must say whether to read or to write");
    }
    LOG.info("{}: opened '{}' to {}", out.peer(), request.getName(), request.getAccess());
  }

  private void openForWriting(OpenMigration request) {
    openRounds.checkServing();
    rights.check(Right.WRITE, request.getName());
    turns.take(request.getName(), out);
    written = request.getName();
    MigrationLog log;
    try {
      log = store.openMigration(request.getName(), request.getCreate());
    } catch (RuntimeException e) {
      giveTurnBack();
      throw e;
    }
    role = new WritingRole(log, out, rights, openRounds, events, handovers::roundCommitted);
    out.send(
        FrameType.MIGRATION_OPENED,
        MigrationOpened.newBuilder()
            .setName(log.name())
            .setLastRound(log.lastRound())
            .setTrackingToken(log.trackingToken())
            .setComplete(log.complete())
            .setNextObjectId(log.nextObjectId())
            .addAllObjects(log.objects())
            .build());
  }

  private void openForReading(OpenMigration request) {
    rights.check(Right.READ, request.getName());
    MigrationReader reader = store.readMigration(request.getName());
    role = new ReadingRole(reader, out, rights);
    out.send(
        FrameType.MIGRATION_OPENED,
        MigrationOpened.newBuilder()
            .setName(reader.name())
            .setLastRound(reader.lastRound())
            .setTrackingToken(reader.trackingToken())
            .setComplete(reader.complete())
            .setNextObjectId(reader.nextObjectId())
            .addAllObjects(reader.objects())
            .build());
  }

  private void answerFailure(Frame frame, PageliftException failure) {
    Role current = role;
    boolean fatal = !greeted || (current != null && current.fatal(frame));
    if (fatal) {
      finish(failure);
      return;
    }
    LOG.info("{}: {} failed: {}", out.peer(), frame.type(), failure.getMessage());
    try {
      out.error(failure);
    } catch (PageliftException lost) {
      finish(lost);
    }
  }

  /** Ends the session for a reason that the client is told. What is not committed is given up first, so that it can come back. */
  private void finish(PageliftException reason) {
    if (over) {
      return;
    }
    over = true;
    LOG.warn("{}: connection ended: {}", out.peer(), reason.getMessage());
    closeRole();
    out.fatal(reason);
  }

  @Override
  public void broken(PageliftException reason) {
    finish(reason);
  }

  @Override
  public void end() {
    over = true;
    try {
      closeRole();
    } finally {
      place.giveBack();
    }
  }

  private void closeRole() {
    Role current = role;
    role = null;
    if (current == null) {
      return;
    }
    try {
      current.close();
    } catch (RuntimeException e) {
      LOG.error("{}: the migration could not be closed", out.peer(), e);
    } finally {
      giveTurnBack();
    }
  }

  private void giveTurnBack() {
    String name = written;
    written = null;
    if (name != null) {
      turns.giveBack(name, out);
    }
  }
}
