package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.HostPort;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.Transport;
import io.pagelift.wire.proto.BatchAck;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.Limits;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.OpenMigration;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundBegun;
import io.pagelift.wire.proto.RoundCommit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client says of servers that are not there, are something else, or break the rules: one sentence, in bounded time. */
@ExtendWith(LeakCheck.class)
@ParameterizedClass
@EnumSource(Transport.class)
class BadServerTest {
  private static final Duration SHORT = Duration.ofMillis(500);

  @Parameter Transport transport;

  private ServerSocket listener;
  private HostPort address;
  private Thread served;

  /** What the server does with its one connection. */
  private interface Behaviour {
    void serve(RawPeer peer) throws IOException;
  }

  @BeforeEach
  void listen() throws IOException {
    listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    address = new HostPort("127.0.0.1", listener.getLocalPort());
  }

  @AfterEach
  void stop() throws Exception {
    listener.close();
    if (served != null) {
      served.join();
    }
  }

  private void serve(Behaviour behaviour) {
    served = new Thread(() -> serveOnce(behaviour));
    served.start();
  }

  private void serveOnce(Behaviour behaviour) {
    try (RawPeer peer = new RawPeer(listener.accept())) {
      behaviour.serve(peer);
      boolean ended = false;
      while (!ended) {
        ended = peer.ended();
      }
    } catch (IOException e) {
      served.setName("the client left first: " + e.getMessage());
    }
  }

  private static void greet(RawPeer peer) throws IOException {
    peer.receive(FrameType.HELLO, Hello.class);
    peer.hello();
  }

  private static void begin(RawPeer peer) throws IOException {
    greet(peer);
    peer.receive(FrameType.OPEN_MIGRATION, OpenMigration.class);
    peer.send(FrameType.MIGRATION_OPENED, MigrationOpened.getDefaultInstance());
    peer.receive(FrameType.ROUND_BEGIN, RoundBegin.class);
    peer.send(FrameType.ROUND_BEGUN, RoundBegun.newBuilder().setRound(1).build());
  }

  private PageServerClient connect() {
    return connect(SHORT);
  }

  private PageServerClient connect(Duration commitTimeout) {
    Duration generous = Duration.ofSeconds(20);
    return PageServerClient.connect(
        address,
        new ClientOptions("client", generous, SHORT, generous, commitTimeout, ClientOptions.DEFAULT_WINDOW_BYTES, transport, null));
  }

  private void assertConnectSays(String... parts) {
    assertThatThrownBy(this::connect)
        .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.REMOTE))
        .hasMessageContainingAll(parts);
  }

  @Test
  void nobodyListens() throws Exception {
    listener.close();
    assertConnectSays("cannot connect to " + address, "connection refused");
  }

  @Test
  void theHostIsUnknown() {
    HostPort nowhere = new HostPort("no-such-host.invalid", 7);
    assertThatThrownBy(() -> PageServerClient.connect(nowhere, ClientOptions.defaults("c").withTransport(transport)))
        .hasMessageContaining("cannot connect to no-such-host.invalid:7")
        .hasMessageContaining("unknown");
  }

  @Test
  void itNeverAnswers() {
    serve(peer -> {});
    assertConnectSays("no answer from " + address + " to HELLO within 500 ms");
  }

  @Test
  void itHangsUp() {
    serve(
        peer -> {
          peer.receive(FrameType.HELLO, Hello.class);
          peer.close();
        });
    assertConnectSays(address + " closed the connection instead of answering HELLO");
  }

  @Test
  void itSpeaksHttp() {
    serve(peer -> peer.send("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
    assertConnectSays(address + " is not a page-server", "HTTP", "check host and port");
  }

  @Test
  void itSpeaksAnotherVersion() {
    serve(
        peer -> {
          peer.receive(FrameType.HELLO, Hello.class);
          peer.send(FrameType.HELLO, Hello.newBuilder().setVersion(99).build());
        });
    assertConnectSays("version 99", "same release");
  }

  @Test
  void itAcceptsLessThanABatch() {
    serve(
        peer -> {
          peer.receive(FrameType.HELLO, Hello.class);
          peer.send(FrameType.HELLO, Hello.newBuilder().setVersion(1).setLimits(Limits.newBuilder().setWindowBytes(5)).build());
        });
    assertConnectSays("limits are too small");
  }

  @Test
  void itDoesNotCommitInTime() {
    serve(
        peer -> {
          begin(peer);
          peer.receive(FrameType.ROUND_COMMIT, RoundCommit.class);
        });
    try (PageServerClient client = connect(Duration.ofMillis(400));
        MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("none", "t");
      assertThatThrownBy(() -> round.commit(List.of(), false))
          .hasMessage("no answer from " + address + " to ROUND_COMMIT of round 1 within 400 ms");
      assertThatThrownBy(() -> session.held(1)).hasMessageContaining("ROUND_COMMIT of round 1");
    }
  }

  @Test
  void itFailsWhilePagesAreSent() {
    Error full =
        Error.newBuilder().setCategory(Error.Category.EXHAUSTED).setMessage("the disk is full\u001b[2J").setFatal(true).build();
    serve(
        peer -> {
          begin(peer);
          peer.receive(FrameType.PAGE_BATCH, PageBatch.class);
          peer.send(FrameType.ERROR, full);
        });
    try (PageServerClient client = connect();
        MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("none", "t");
      assertThatThrownBy(
              () -> {
                while (true) {
                  round.send(1, List.of(PageRun.data(0, 256)), round.acquire());
                }
              })
          .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.EXHAUSTED))
          .hasMessage(address + " says: the disk is full?[2J");
      round.abort("the server failed");
    }
  }

  @Test
  void itAcknowledgesWhatWasNeverSent() {
    serve(
        peer -> {
          begin(peer);
          peer.send(FrameType.BATCH_ACK, BatchAck.newBuilder().setSequence(3).build());
        });
    try (PageServerClient client = connect(Duration.ofSeconds(20));
        MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("none", "t");
      assertThatThrownBy(() -> round.commit(List.of(), false)).hasMessageContaining("acknowledged batch 3, which is not in flight");
    }
  }

  @Test
  void itAnswersSomethingElse() {
    serve(
        peer -> {
          greet(peer);
          peer.receive(FrameType.OPEN_MIGRATION, OpenMigration.class);
          peer.send(FrameType.ROUND_BEGUN, RoundBegun.getDefaultInstance());
        });
    try (PageServerClient client = connect()) {
      assertThatThrownBy(() -> client.openForWriting("m"))
          .hasMessage(address + " answered OPEN_MIGRATION of 'm' with ROUND_BEGUN instead of MIGRATION_OPENED");
    }
  }

  @Test
  void itSendsADamagedAnswer() {
    MigrationOpened opened = MigrationOpened.newBuilder().setName("m").setTrackingToken("token").build();
    byte[] damaged = RawPeer.bytes(FrameType.MIGRATION_OPENED, opened, new byte[0]);
    damaged[20] ^= 1;
    serve(
        peer -> {
          greet(peer);
          peer.receive(FrameType.OPEN_MIGRATION, OpenMigration.class);
          peer.send(damaged);
        });
    try (PageServerClient client = connect()) {
      assertThatThrownBy(() -> client.openForReading("m"))
          .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.CORRUPT))
          .hasMessageContaining("checksum");
    }
  }
}
