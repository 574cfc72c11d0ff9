package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.ReadingSession;
import io.pagelift.wire.DeduplicatedPages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.Durability;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.Transport;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client sees of a page-server, over each transport. */
@ExtendWith(LeakCheck.class)
@ParameterizedClass
@EnumSource(Transport.class)
class SessionsTest {
  private static final ObjectInfo HEAP =
      ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).setPid(4711).setStartTimeTicks(12).build();

  @Parameter Transport transport;

  private final HeapStore store = new HeapStore(true);
  private PageServer server;
  private PageServerClient client;

  @BeforeEach
  void start() {
    server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "test server").withTransport(transport));
    client = connect();
  }

  @AfterEach
  void stop() {
    store.gate.release(Integer.MAX_VALUE - store.gate.availablePermits());
    client.close();
    server.close();
    assertThat(server.queuedBytes()).isZero();
    assertThat(server.sessionCount()).isZero();
  }

  private PageServerClient connect() {
    return PageServerClient.connect(server.address(), ClientOptions.defaults("test client").withTransport(transport));
  }

  private static byte[] pages(long seed, int count) {
    byte[] bytes = new byte[count * PageRun.PAGE_BYTES];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void send(RoundWriter round, long object, long firstPage, byte[] bytes) {
    PageBatchBuffer buffer = round.acquire();
    buffer.bytes().put(bytes);
    round.send(object, List.of(PageRun.data(firstPage, bytes.length / PageRun.PAGE_BYTES)), buffer);
  }

  private static byte[] read(ReadingSession session, long object, PageRuns runs) {
    ByteBuffer all = ByteBuffer.allocate((int) runs.pageCount() * PageRun.PAGE_BYTES);
    session.read(object, runs, (first, count, bytes) -> all.put(bytes));
    assertThat(all.hasRemaining()).isFalse();
    return all.array();
  }

  @Test
  void aNewMigrationHasNoRounds() {
    try (MigrationSession session = client.openForWriting("fresh")) {
      assertThat(session.opened().getLastRound()).isZero();
      assertThat(session.opened().getNextObjectId()).isEqualTo(1);
      assertThat(session.held()).isEmpty();
      assertThat(session.held(17)).isEqualTo(PageRuns.empty());
    }
  }

  @Test
  void whatARoundCommitsIsHeldAndReadBack() {
    byte[] first = pages(1, 256);
    byte[] second = pages(2, 3);
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("uffd-wp", "token-1");
      send(round, 1, 1000, first);
      send(round, 1, 5000, second);
      round.send(1, List.of(PageRun.zero(6000, 10)));
      RoundResult result = round.commit(List.of(HEAP), false);
      assertThat(result).isEqualTo(new RoundResult(1, 259, 10, 0, DeduplicatedPages.NONE, 259L * 4096, Durability.FULL));
      assertThat(session.lastRound()).isEqualTo(1);
      assertThat(session.held()).containsOnlyKeys(1L);
      assertThat(session.held(1).pageCount()).isEqualTo(269);
    }
    try (ReadingSession reading = client.openForReading("m")) {
      assertThat(reading.opened().getTrackingToken()).isEqualTo("token-1");
      assertThat(reading.opened().getObjectsList()).containsExactly(HEAP);
      assertThat(read(reading, 1, PageRuns.of(1000, 1256))).isEqualTo(first);
      assertThat(read(reading, 1, PageRuns.of(5000, 5003))).isEqualTo(second);
      assertThat(read(reading, 1, PageRuns.of(6000, 6010))).isEqualTo(new byte[10 * 4096]);
      assertThat(reading.held(1).runCount()).isEqualTo(3);
      assertThat(places(reading)).contains(new PagePlace(5000, 3, 1, 5000));
    }
  }

  @Test
  void severalRunsOfOneBatchKeepTheirBytes() {
    byte[] bytes = pages(3, 5);
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      PageBatchBuffer buffer = round.acquire();
      assertThat(buffer.address() % 4096).isZero();
      buffer.bytes().put(bytes);
      round.send(1, List.of(PageRun.data(9, 2), PageRun.zero(20, 1), PageRun.data(30, 3), PageRun.drop(40, 7)), buffer);
      assertThat(round.commit(List.of(HEAP), false).pagesDropped()).isEqualTo(7);
    }
    try (ReadingSession reading = client.openForReading("m")) {
      PageRuns runs = new PageRuns.Builder().add(9, 11).add(30, 33).build();
      assertThat(read(reading, 1, runs)).isEqualTo(bytes);
    }
  }

  @Test
  void manyRunsAndPagesComeInManyFrames() {
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      List<PageRun> runs = new ArrayList<>();
      for (int i = 0; i < 10_000; i++) {
        runs.add(PageRun.zero(2L * i, 1));
      }
      round.send(1, runs);
      round.commit(List.of(HEAP), false);
      assertThat(session.held(1).runCount()).isEqualTo(10_000);
    }
    try (ReadingSession reading = client.openForReading("m")) {
      assertThat(places(reading)).hasSize(10_000);
      assertThat(read(reading, 1, reading.held(1))).isEqualTo(new byte[10_000 * 4096]);
    }
  }

  @Test
  void anImageOfSeveralPartsComesBackWhole() {
    byte[] image = pages(5, 700);
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      round.image("tree", ByteBuffer.wrap(image));
      round.commit(List.of(HEAP), true);
    }
    try (ReadingSession reading = client.openForReading("m")) {
      assertThat(reading.opened().getComplete()).isTrue();
      assertThat(reading.image("tree")).isEqualTo(image);
      assertThatThrownBy(() -> reading.image("forest")).hasMessageContaining("no image 'forest'");
      assertThat(reading.image("tree")).isEqualTo(image);
    }
  }

  @Test
  void anAbortedRoundLeavesNothingAndTheNextOneHasItsNumber() {
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter aborted = session.beginRound("compare", "t");
      send(aborted, 1, 0, pages(1, 4));
      aborted.abort("the process exited");
      aborted.abort("twice is harmless");
      assertThat(session.held(1).isEmpty()).isTrue();
      RoundWriter round = session.beginRound("compare", "t");
      assertThat(round.round()).isEqualTo(1);
      send(round, 1, 0, pages(2, 1));
      assertThat(round.commit(List.of(HEAP), false).pagesStored()).isEqualTo(1);
    }
  }

  @Test
  void aSecondRoundCannotBeginInsideTheFirst() {
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      assertThatThrownBy(() -> session.beginRound("compare", "t")).isInstanceOf(IllegalStateException.class);
      round.abort("done");
      assertThatThrownBy(() -> round.acquire()).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aSecondWriterIsRefusedUntilTheFirstIsGone() throws Exception {
    MigrationSession first = client.openForWriting("m");
    assertThatThrownBy(() -> client.openForWriting("m"))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("being written by another session")
        .hasMessageStartingWith(server.address() + " says: ");
    first.close();
    while (store.hasWriter("m")) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    client.openForWriting("m").close();
  }

  @Test
  void whatIsNotThereIsNamed() {
    assertThatThrownBy(() -> client.openForReading("nowhere")).hasMessageContaining("no migration 'nowhere'");
    assertThatThrownBy(() -> client.openForWriting("../etc")).hasMessageContaining("name of a migration").hasMessageContaining("'../etc'");
    assertThat(client.list()).isEmpty();
    client.openForWriting("there").close();
    assertThat(client.list()).singleElement().satisfies(info -> assertThat(info.getName()).isEqualTo("there"));
    try (ReadingSession reading = client.openForReading("there")) {
      assertThatThrownBy(() -> reading.read(1, PageRuns.of(3, 4), (first, count, bytes) -> {})).hasMessageContaining("not held");
      assertThat(reading.held(1).isEmpty()).isTrue();
    }
  }

  @Test
  void sessionsAtTheSameTimeDoNotMix() throws Exception {
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 6; i++) {
      int number = i;
      Thread thread = new Thread(() -> writeRounds(number));
      thread.setUncaughtExceptionHandler((t, e) -> failures.add(e));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(failures).isEmpty();
    for (int i = 0; i < 6; i++) {
      try (ReadingSession reading = client.openForReading("m" + i)) {
        assertThat(read(reading, 1, PageRuns.of(0, 256))).isEqualTo(pages(100L * i + 2, 256));
      }
    }
  }

  private void writeRounds(int number) {
    try (PageServerClient own = connect();
        MigrationSession session = own.openForWriting("m" + number)) {
      for (int round = 0; round < 3; round++) {
        RoundWriter writer = session.beginRound("compare", "t");
        for (int batch = 0; batch < 8; batch++) {
          send(writer, 1, 256L * batch, pages(100L * number + round + 1000L * batch, 256));
        }
        writer.commit(List.of(HEAP), false);
      }
    }
  }

  @Test
  void aStandingStoreHoldsTheClientBackWithBoundedMemory() throws Exception {
    store.gate.drainPermits();
    PageServerClient impatient =
        PageServerClient.connect(
            server.address(),
            ClientOptions.defaults("impatient").withTransport(transport).withReplyTimeout(java.time.Duration.ofMillis(700)));
    try (impatient;
        MigrationSession session = impatient.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      byte[] bytes = pages(1, 256);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 64; i++) {
                  send(round, 1, 256L * i, bytes);
                }
              })
          .isInstanceOf(PageliftException.class)
          .hasMessageContaining("within 700 ms")
          .hasMessageContaining(server.address().toString());
      assertThat(round.payloadBytesSent()).isLessThanOrEqualTo(17L << 20);
      assertThat(server.queuedBytes()).isLessThanOrEqualTo(FrameQueue.QUEUE_BYTES + (1 << 20) + 4096);
    } finally {
      store.gate.release(Integer.MAX_VALUE);
    }
  }

  @Test
  void aFullDiskReachesAClientThatIsSending() throws Exception {
    assertStoreFailureIsSeen(
        new PageliftException(ErrorCategory.EXHAUSTED, "no space left in the store"), ErrorCategory.EXHAUSTED,
        server.address() + " says: no space left in the store");
  }

  @Test
  void aBugInTheStoreEndsOnlyTheSessionThatMetIt() throws Exception {
    assertStoreFailureIsSeen(
        new IllegalStateException("bug"), ErrorCategory.INTERNAL,
        server.address() + " says: internal error (java.lang.IllegalStateException: bug); the page-server's log has more");
  }

  private void assertStoreFailureIsSeen(RuntimeException failure, ErrorCategory category, String message) throws Exception {
    byte[] bytes = pages(1, 256);
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      send(round, 1, 0, bytes);
      store.nextFailure.set(failure);
      assertThatThrownBy(
              () -> {
                while (true) {
                  send(round, 1, 256, bytes);
                }
              })
          .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(category))
          .hasMessage(message);
    }
    try (MigrationSession again = client.openForWriting("m")) {
      assertThat(again.lastRound()).isZero();
      RoundWriter round = again.beginRound("compare", "t");
      send(round, 1, 0, bytes);
      assertThat(round.commit(List.of(HEAP), false).pagesStored()).isEqualTo(256);
    }
  }

  @Test
  void aClientThatGoesAwayInTheMiddleLeavesNoRound() throws Exception {
    PageServerClient leaving = connect();
    MigrationSession session = leaving.openForWriting("m");
    RoundWriter round = session.beginRound("compare", "t");
    send(round, 1, 0, pages(1, 256));
    leaving.close();
    while (store.hasWriter("m")) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    try (MigrationSession next = client.openForWriting("m")) {
      assertThat(next.lastRound()).isZero();
      assertThat(next.held(1).isEmpty()).isTrue();
    }
  }

  @Test
  void connectionsCutAfterAnyBatchLeaveExactlyTheCommittedRounds() {
    Random random = new Random(20261121);
    int committed = 0;
    PageRuns.Builder expected = new PageRuns.Builder();
    for (int i = 0; i < 40; i++) {
      try (PageServerClient cut = connect()) {
        MigrationSession session = cut.openForWriting("m");
        assertThat(session.lastRound()).isEqualTo(committed);
        assertThat(session.held(1)).isEqualTo(expected.build());
        RoundWriter round = session.beginRound("compare", "t");
        PageRuns.Builder sent = new PageRuns.Builder();
        for (int batch = random.nextInt(30); batch > 0; batch--) {
          int count = 1 + random.nextInt(64);
          int first = random.nextInt(2000);
          send(round, 1, first, pages(first, count));
          sent.add(first, first + count);
        }
        if (random.nextBoolean()) {
          round.commit(List.of(HEAP), false);
          committed++;
          sent.build().forEach(expected::add);
        }
      }
    }
  }

  @Test
  void aServerThatGoesAwayInTheMiddleIsOneSentence() {
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("compare", "t");
      send(round, 1, 0, pages(1, 256));
      server.close();
      assertThatThrownBy(
              () -> {
                for (int i = 1; i < 64; i++) {
                  send(round, 1, 256L * i, pages(1, 256));
                }
                round.commit(List.of(HEAP), false);
              })
          .isInstanceOf(PageliftException.class)
          .hasMessageContaining("lost the connection to " + server.address());
      round.abort("lost");
    }
  }

  @Test
  void oneConnectionTooManyIsToldSo() {
    try (PageServer small =
            PageServer.start(
                store, ServerOptions.defaults("127.0.0.1", 0, "small").withTransport(transport).withMaxConnections(1));
        PageServerClient only =
            PageServerClient.connect(small.address(), ClientOptions.defaults("only").withTransport(transport))) {
      assertThat(only.list()).isEmpty();
      assertThatThrownBy(
              () -> PageServerClient.connect(small.address(), ClientOptions.defaults("more").withTransport(transport)))
          .hasMessageContaining("all 1 connections are in use");
    }
  }

  private static List<PagePlace> places(ReadingSession reading) {
    List<PagePlace> places = new ArrayList<>();
    reading.forEachPlace(1, places::add);
    return places;
  }
}
