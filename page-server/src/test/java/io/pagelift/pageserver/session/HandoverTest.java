package io.pagelift.pageserver.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.HandoverSession;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.HandoverRequest.Step;
import io.pagelift.wire.proto.HandoverState;
import io.pagelift.wire.proto.HandoverState.Decision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which copy lives, as the two sides of a handover see it. */
class HandoverTest {
  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final Duration NOW = Duration.ZERO;

  @TempDir Path directory;
  private PageStore store;
  private PageServer server;
  private PageServerClient client;
  private HandoverSession source;
  private HandoverSession destination;

  @BeforeEach
  void startWithAMigration() {
    start(0);
    client.openForWriting("m").close();
    source.prepare(1);
  }

  private void start(int port) {
    store = PageStore.open(directory.resolve("store"));
    server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", port, "test server"));
    client = PageServerClient.connect(server.address(), ClientOptions.defaults("test client"));
    source = client.openHandover("m");
    destination = client.openHandover("m");
  }

  @AfterEach
  void stop() {
    client.close();
    server.close();
    store.close();
  }

  private void restartTheServer() {
    int port = server.address().port();
    server.close();
    store.close();
    store = PageStore.open(directory.resolve("store"));
    server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", port, "test server"));
  }

  private static Decision decision(HandoverState state) {
    return state.getDecision();
  }

  @Test
  void itIsCommittedWhenTheSourceIsArmedAndTheDestinationReady() {
    assertThat(decision(source.say(1, Step.ARMED))).isEqualTo(Decision.UNDECIDED);
    assertThat(decision(destination.say(1, Step.READY))).isEqualTo(Decision.COMMITTED);
    assertThat(decision(source.await(1, Step.ARMED, BOUND))).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void theOrderOfTheTwoDoesNotMatter() {
    assertThat(decision(destination.say(1, Step.READY))).isEqualTo(Decision.UNDECIDED);
    assertThat(decision(source.say(1, Step.ARMED))).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void whoGivesUpAfterTheCommitLearnsThatItIsTooLate() {
    source.say(1, Step.ARMED);
    destination.say(1, Step.READY);
    assertThat(decision(source.giveUp(1, "too slow", BOUND))).isEqualTo(Decision.COMMITTED);
    assertThat(decision(destination.giveUp(1, "no", BOUND))).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void afterOneSideGaveUpNothingCommits() {
    assertThat(decision(destination.giveUp(1, "pid 7 is taken", BOUND))).isEqualTo(Decision.ABORTED);
    assertThat(decision(destination.say(1, Step.READY))).isEqualTo(Decision.ABORTED);
    HandoverState seen = source.say(1, Step.ARMED);
    assertThat(decision(seen)).isEqualTo(Decision.ABORTED);
    assertThat(seen.getReason()).isEqualTo("pid 7 is taken");
  }

  @Test
  void aDestinationThatIsLostIsNotReadyAnyMore() {
    destination.say(1, Step.READY);
    destination.close();
    // Its session ends some time after its connection.
    HandoverState state = source.say(1, Step.ASK);
    long end = System.nanoTime() + BOUND.toNanos();
    while (state.getReady() && System.nanoTime() - end < 0) {
      state = source.say(1, Step.ASK);
    }
    assertThat(state.getReady()).isFalse();
    assertThat(decision(source.say(1, Step.ARMED))).isEqualTo(Decision.UNDECIDED);
  }

  @Test
  void whoWaitsIsToldOfTheDecision() {
    CompletableFuture<HandoverState> waiting = CompletableFuture.supplyAsync(() -> source.await(1, Step.ARMED, BOUND));
    assertThat(decision(destination.await(1, Step.READY, BOUND))).isEqualTo(Decision.COMMITTED);
    assertThat(decision(waiting.join())).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void aSourceThatIsLostWhenArmedCostsNothingEvenWhenTheServerRestarts() {
    source.say(1, Step.ARMED);
    source.close();
    restartTheServer();
    assertThat(decision(destination.await(1, Step.READY, BOUND))).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void aDecisionOutlivesTheServer() {
    source.say(1, Step.ARMED);
    destination.say(1, Step.READY);
    restartTheServer();
    assertThat(decision(source.await(1, Step.ARMED, BOUND))).isEqualTo(Decision.COMMITTED);
    assertThat(decision(destination.await(1, Step.READY, BOUND))).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void bothSidesGoOnOverARestartOfTheServer() {
    CompletableFuture<HandoverState> waiting = CompletableFuture.supplyAsync(() -> source.await(1, Step.ARMED, BOUND));
    restartTheServer();
    assertThat(decision(destination.await(1, Step.READY, BOUND))).isEqualTo(Decision.COMMITTED);
    assertThat(decision(waiting.join())).isEqualTo(Decision.COMMITTED);
  }

  @Test
  void aCopyThatRunsIsRecordedAndEachRoundIsDecidedOnItsOwn() {
    source.say(1, Step.ARMED);
    destination.say(1, Step.READY);
    assertThat(decision(destination.say(1, Step.RELEASED))).isEqualTo(Decision.RELEASED);
    source.prepare(2);
    assertThat(decision(source.say(2, Step.ASK))).isEqualTo(Decision.UNDECIDED);
  }

  @Test
  void withoutAnAnnouncementNothingIsDecided() {
    assertThatThrownBy(() -> destination.say(9, Step.READY))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("Round 9 of migration 'm' was not announced");
  }

  @Test
  void whoFollowsIsToldOfEachRound() {
    CompletableFuture<Integer> seen =
        CompletableFuture.supplyAsync(() -> {
          int last = 0;
          long end = System.nanoTime() + BOUND.toNanos();
          while (last == 0 && System.nanoTime() - end < 0) {
            last = destination.awaitRound(0, Duration.ofSeconds(1)).getLastRound();
          }
          return last;
        });
    try (MigrationSession session = client.openForWriting("m")) {
      RoundWriter round = session.beginRound("none", "t");
      round.commit(List.of(), false);
    }
    assertThat(seen.join()).isEqualTo(1);
    assertThat(destination.awaitRound(1, NOW).getLastRound()).isEqualTo(1);
    assertThat(client.openHandover("unknown").awaitRound(0, NOW).getLastRound()).isZero();
  }
}
