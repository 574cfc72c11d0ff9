package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageRun;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.FrameType;
import io.pagelift.wire.LeakCheck;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RawPeer;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.Error;
import io.pagelift.wire.proto.Hello;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Many dumpers at one page-server, those that fall silent, and its end. bin/bench-sessions does the same with 64 of 64 MiB. */
@ExtendWith(LeakCheck.class)
class ManySessionsTest {
  private static final ObjectInfo HEAP = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).build();
  private static final Duration IDLE = Duration.ofMillis(700);

  @TempDir Path directory;

  private final ExecutorService dumpers = Executors.newCachedThreadPool();
  private @Nullable PageStore opened;
  private @Nullable PageServer started;

  @BeforeEach
  void start() {
    opened = PageStore.open(directory.resolve("store"));
    started = PageServer.start(store(), ServerOptions.defaults("127.0.0.1", 0, "server"));
  }

  @AfterEach
  void stop() throws Exception {
    dumpers.shutdownNow();
    assertThat(dumpers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    server().close();
    store().close();
  }

  private PageStore store() {
    PageStore known = opened;
    assertThat(known).isNotNull();
    return known;
  }

  private PageServer server() {
    PageServer known = started;
    assertThat(known).isNotNull();
    return known;
  }

  private PageServerClient connect() {
    return PageServerClient.connect(server().address(), ClientOptions.defaults("dumper"));
  }

  private static void send(RoundWriter round, int dumper, int batch) {
    PageBatchBuffer buffer = round.acquire();
    var bytes = buffer.bytes();
    for (int at = 0; at < bytes.capacity(); at += 4096) {
      bytes.putLong(at, 1_000_003L * dumper + at).putLong(at + 8, batch);
    }
    round.send(1, List.of(PageRun.data(256L * batch, 256)), buffer);
  }

  private static int commitRound(MigrationSession session, int dumper, int batches) {
    RoundWriter round = session.beginRound("none", "t");
    for (int i = 0; i < batches; i++) {
      send(round, dumper, i);
    }
    round.commit(List.of(HEAP), false);
    return session.lastRound();
  }

  @Test
  void allOfManyDumpersCommitAndWhatWaitsInMemoryIsBounded() throws Exception {
    List<Future<Integer>> results = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      int dumper = i;
      results.add(
          dumpers.submit(
              () -> {
                try (PageServerClient client = connect();
                    MigrationSession session = client.openForWriting("m" + dumper)) {
                  return commitRound(session, dumper, 6);
                }
              }));
    }
    long most = 0;
    for (Future<Integer> result : results) {
      while (!result.isDone()) {
        most = Math.max(most, server().queuedBytes());
        TimeUnit.MILLISECONDS.sleep(1);
      }
      assertThat(result.get()).isEqualTo(1);
    }
    // One frame per connection over the bound, and one that is being worked on.
    assertThat(most).isLessThanOrEqualTo(FrameQueue.SERVER_BYTES + 2 * 16 * (1 << 20));
    assertThat(store().list()).hasSize(16).allMatch(migration -> migration.getPages() == 6 * 256);
  }

  @Test
  void aDumperThatNeverPausesKeepsNobodyFromCommitting() throws Exception {
    AtomicBoolean enough = new AtomicBoolean();
    Future<Integer> greedy =
        dumpers.submit(
            () -> {
              try (PageServerClient client = connect();
                  MigrationSession session = client.openForWriting("greedy")) {
                RoundWriter round = session.beginRound("none", "t");
                for (int i = 0; !enough.get(); i++) {
                  send(round, 1, i % 64);
                }
                round.commit(List.of(HEAP), false);
                return session.lastRound();
              }
            });
    for (int i = 0; i < 4; i++) {
      try (PageServerClient client = connect();
          MigrationSession session = client.openForWriting("small" + i)) {
        assertThat(commitRound(session, 2 + i, 2)).isEqualTo(1);
      }
    }
    enough.set(true);
    assertThat(greedy.get()).isEqualTo(1);
  }

  @Test
  void aServerThatStopsLetsRunningRoundsCommitAndBeginsNothing() throws Exception {
    try (PageServerClient client = connect();
        PageServerClient other = connect();
        MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("none", "t");
      send(round, 1, 0);
      Future<Integer> drained = dumpers.submit(() -> server().drain(Duration.ofSeconds(60)));
      boolean stopping = false;
      while (!stopping) {
        stopping = refused(() -> connect().close());
      }
      assertThatThrownBy(() -> other.openForWriting("n")).hasMessageContaining("is stopping and begins nothing new");
      assertThat(drained.isDone()).isFalse();
      round.commit(List.of(HEAP), false);
      assertThat(drained.get()).isZero();
      assertThatThrownBy(() -> session.beginRound("none", "t")).hasMessageContaining("is stopping and begins nothing new");
    }
  }

  private static boolean refused(Runnable attempt) {
    try {
      attempt.run();
      return false;
    } catch (io.pagelift.common.PageliftException e) {
      assertThat(e).hasMessageContaining("is stopping and begins nothing new");
      return true;
    }
  }

  @Test
  void aRoundThatDoesNotEndInTimeIsGivenUp() {
    try (PageServerClient client = connect();
        MigrationSession session = client.openForWriting("m")) {
      session.beginRound("none", "t");
      assertThat(server().drain(Duration.ofMillis(50))).isEqualTo(1);
    }
  }

  @Test
  void silentAndDrippingClientsAreEnded() throws Exception {
    server().close();
    started = PageServer.start(store(), ServerOptions.defaults("127.0.0.1", 0, "server").withIdleTimeout(IDLE));
    try (RawPeer silent = greeted();
        RawPeer dripping = greeted()) {
      byte[] frame = RawPeer.bytes(FrameType.PING, io.pagelift.wire.proto.Ping.getDefaultInstance(), new byte[0]);
      Future<?> drops =
          dumpers.submit(
              () -> {
                for (int i = 0; i < frame.length - 1; i++) {
                  dripping.send(new byte[] {frame[i]});
                  TimeUnit.MILLISECONDS.sleep(100);
                }
                return true;
              });
      assertThat(silent.receive(FrameType.ERROR, Error.class).getMessage()).contains("no request came within 700 ms");
      assertThat(dripping.receive(FrameType.ERROR, Error.class).getMessage()).contains("no request came within 700 ms");
      drops.cancel(true);
    }
  }

  private RawPeer greeted() throws IOException {
    RawPeer peer = new RawPeer(new Socket(server().address().host(), server().address().port()));
    peer.hello();
    peer.receive(FrameType.HELLO, Hello.class);
    return peer;
  }
}
