package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.wire.FrameType;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.Transport;
import io.pagelift.wire.proto.BatchAck;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.OpenMigration;
import io.pagelift.wire.proto.PageBatch;
import io.pagelift.wire.proto.PageRun;
import io.pagelift.wire.proto.Ping;
import io.pagelift.wire.proto.Pong;
import io.pagelift.wire.proto.RoundBegin;
import io.pagelift.wire.proto.RoundBegun;
import io.pagelift.wire.proto.RoundCommit;
import io.pagelift.wire.proto.RoundCommitted;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a page-server does with clients that break the rules: one clear ERROR, an end, and service for everybody else. */
@ExtendWith(LeakCheck.class)
@ParameterizedClass
@EnumSource(Transport.class)
class BadClientTest {
  @Parameter Transport transport;

  private final HeapStore store = new HeapStore(true);
  private PageServer server;

  @BeforeEach
  void start() {
    server =
        PageServer.start(
            store,
            ServerOptions.defaults("127.0.0.1", 0, "server").withTransport(transport).withHelloTimeout(Duration.ofMillis(300)));
  }

  @AfterEach
  void stop() throws Exception {
    try (RawPeer wellBehaved = greeted()) {
      wellBehaved.send(FrameType.PING, Ping.newBuilder().setNonce(42).build());
      assertThat(wellBehaved.receive(FrameType.PONG, Pong.class).getNonce()).isEqualTo(42);
    }
    while (server.sessionCount() > 0) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(server.queuedBytes()).isZero();
    assertThat(store.hasWriter("m")).isFalse();
    server.close();
  }

  private RawPeer connected() throws IOException {
    return new RawPeer(new Socket(server.address().host(), server.address().port()));
  }

  private RawPeer greeted() throws IOException {
    RawPeer peer = connected();
    peer.hello();
    peer.receive(FrameType.HELLO, Hello.class);
    return peer;
  }

  private RawPeer inRound() throws IOException {
    RawPeer peer = greeted();
    OpenMigration open =
        OpenMigration.newBuilder().setName("m").setAccess(OpenMigration.Access.WRITE).setCreate(true).build();
    peer.send(FrameType.OPEN_MIGRATION, open);
    peer.receive(FrameType.MIGRATION_OPENED, MigrationOpened.class);
    begin(peer);
    return peer;
  }

  private static void begin(RawPeer peer) throws IOException {
    peer.send(FrameType.ROUND_BEGIN, RoundBegin.newBuilder().setRound(1).setTracker("none").setTrackingToken("t").build());
    peer.receive(FrameType.ROUND_BEGUN, RoundBegun.class);
  }

  private static PageBatch batch(long sequence, int pages) {
    PageRun run = PageRun.newBuilder().setPageCount(pages).build();
    return PageBatch.newBuilder().setSequence(sequence).setObjectId(1).addRuns(run).build();
  }

  private static void sendBatch(RawPeer peer, long sequence) throws IOException {
    peer.send(FrameType.PAGE_BATCH, batch(sequence, 1), new byte[4096]);
  }

  private static String fatal(RawPeer peer) throws IOException {
    Error error = peer.receive(FrameType.ERROR, Error.class);
    assertThat(error.getFatal()).isTrue();
    assertThat(peer.ended()).isTrue();
    return error.getMessage();
  }

  @Test
  void anotherProtocolIsNamed() throws Exception {
    try (RawPeer peer = connected()) {
      peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(fatal(peer)).contains("not Pagelift's protocol").contains("HTTP");
    }
  }

  @Test
  void silenceEndsAfterItsBound() throws Exception {
    try (RawPeer peer = connected()) {
      assertThat(fatal(peer)).contains("no HELLO came within 300 ms");
    }
  }

  @Test
  void anotherVersionIsNamed() throws Exception {
    try (RawPeer peer = connected()) {
      peer.send(FrameType.HELLO, Hello.newBuilder().setVersion(2).build());
      assertThat(fatal(peer)).contains("version 2").contains("version 1").contains("same release");
    }
  }

  @Test
  void nothingIsAcceptedBeforeHelloOrBeforeAMigrationIsOpen() throws Exception {
    try (RawPeer peer = connected()) {
      sendBatch(peer, 1);
      assertThat(fatal(peer)).contains("PAGE_BATCH").contains("before HELLO");
    }
    try (RawPeer peer = greeted()) {
      sendBatch(peer, 1);
      assertThat(fatal(peer)).contains("before OPEN_MIGRATION");
    }
  }

  @Test
  void aFlippedBitInABatchEndsTheRound() throws Exception {
    byte[] damaged = RawPeer.bytes(FrameType.PAGE_BATCH, batch(1, 1), new byte[4096]);
    damaged[1000] ^= 4;
    try (RawPeer peer = inRound()) {
      peer.send(damaged);
      assertThat(fatal(peer)).contains("damaged PAGE_BATCH").contains("checksum");
    }
  }

  @Test
  void aBatchOutOfOrderEndsTheRound() throws Exception {
    try (RawPeer peer = inRound()) {
      sendBatch(peer, 2);
      assertThat(fatal(peer)).contains("number 2 came where 1 was expected");
    }
  }

  @Test
  void aCommitThatCountsOtherBatchesIsRefusedAndTheRoundCanBeSentAgain() throws Exception {
    try (RawPeer peer = inRound()) {
      sendBatch(peer, 1);
      assertThat(peer.receive(FrameType.BATCH_ACK, BatchAck.class).getSequence()).isEqualTo(1);
      peer.send(FrameType.ROUND_COMMIT, RoundCommit.newBuilder().setRound(1).setBatchCount(2).build());
      Error error = peer.receive(FrameType.ERROR, Error.class);
      assertThat(error.getFatal()).isFalse();
      assertThat(error.getMessage()).contains("2 batches were announced and 1 arrived");
      begin(peer);
      sendBatch(peer, 1);
      peer.receive(FrameType.BATCH_ACK, BatchAck.class);
      peer.send(FrameType.ROUND_COMMIT, RoundCommit.newBuilder().setRound(1).setBatchCount(1).build());
      assertThat(peer.receive(FrameType.ROUND_COMMITTED, RoundCommitted.class).getPagesStored()).isEqualTo(1);
    }
  }

  @Test
  void anErrorReachesAClientThatStillSends() throws Exception {
    byte[] payload = new byte[1 << 20];
    try (RawPeer peer = inRound()) {
      for (int i = 0; i < 20; i++) {
        peer.send(FrameType.PAGE_BATCH, batch(7, 256), payload);
      }
      assertThat(fatal(peer)).contains("number 7");
    }
  }

  @Test
  void anAnnouncedLengthBeyondTheBoundEndsTheConnection() throws Exception {
    byte[] huge = RawPeer.bytes(FrameType.PAGE_BATCH, batch(1, 1), new byte[0]);
    huge[8] = 0x7f;
    try (RawPeer peer = inRound()) {
      peer.send(huge);
      assertThat(fatal(peer)).contains("payload").contains("at most 1048576");
    }
  }

  @Test
  void randomBytesHarmNobodyElse() throws Exception {
    Random random = new Random(20261121);
    for (int i = 0; i < 20; i++) {
      byte[] bytes = new byte[1 + random.nextInt(100_000)];
      random.nextBytes(bytes);
      try (RawPeer peer = random.nextBoolean() ? connected() : greeted()) {
        peer.send(bytes);
      }
    }
  }

  @Test
  void aConnectionCutInsideABatchLeavesNothing() throws Exception {
    byte[] bytes = RawPeer.bytes(FrameType.PAGE_BATCH, batch(1, 1), new byte[4096]);
    try (RawPeer peer = inRound()) {
      peer.send(Arrays.copyOf(bytes, 3000));
    }
    while (store.hasWriter("m")) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }
}
