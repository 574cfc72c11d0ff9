package io.pagelift.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.CountLog;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.NamespaceHost;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A tree is handed over between two pid namespaces, while a program is killed at a named point: exactly one copy lives, and its count has
 * no gap and no repeat. Two copies would show as repeated counts, for both write to the same file.
 */
class HandoverFaultsTest {
  private static final Duration BOUND = Duration.ofMinutes(3);
  private static final int KILLED = 137;

  private Workspace workspace;
  private PageServer server;
  private NamespaceHost source;
  private NamespaceHost destination;
  private Path victim;
  private long pid;

  @BeforeEach
  void startTwoHosts(TestInfo test) throws IOException {
    workspace = Workspace.open("handover-" + test.getDisplayName());
    server = PageServer.start(workspace);
    source = NamespaceHost.start(workspace);
    destination = NamespaceHost.start(workspace);
    victim = workspace.directory().resolve("victim");
    pid = source.startVictim(victim, "counter", "8", "4");
  }

  @AfterEach
  void endEverything() {
    source.end();
    destination.end();
    workspace.close();
  }

  private Running follow(String fault, String... options) {
    String[] own = {"restore", "--follow", "--from", server.address(), "--name", "m", "--detached"};
    return destination.startProgram("restorer", fault, join(own, options));
  }

  private Finished migrate(String fault, int handoverSeconds) {
    return source
        .startProgram(
            "dumper", fault, "migrate", "-t", Long.toString(pid), "--to", server.address(), "--name", "m", "--handover-timeout",
            Integer.toString(handoverSeconds), "--guard-log", workspace.directory().resolve("guard.log").toString())
        .await(BOUND);
  }

  private static String[] join(String[] first, String[] second) {
    String[] all = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private void expectExit(Finished finished, int code) {
    assertThat(finished.exitCode()).as(finished.describe()).isEqualTo(code);
  }

  /** Waits until the copy at one side runs and the other one does not exist, then has the victim check itself. */
  private void onlyCopyRunsAt(NamespaceHost here, NamespaceHost there) {
    Await.until("the copy that lives runs", Await.LONG, () -> here.runs(pid));
    Await.until("the other copy is gone", Await.LONG, () -> !there.lives(pid));
    long lines = CountLog.read(victim).lineCount();
    Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim).lineCount() > lines + 20);
  }

  private void finish() throws IOException {
    Files.writeString(victim.resolve("stop"), "");
    Path result = victim.resolve("result");
    Await.until("the victim's result", Await.LONG, () -> text(result).endsWith("\n"));
    assertThat(text(result).trim()).isEqualTo("PASS");
    assertThat(CountLog.read(victim).breaks()).isEmpty();
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aTreeIsHandedOver() throws IOException {
    Running restorer = follow("");
    expectExit(migrate("", 60), 0);
    expectExit(restorer.await(BOUND), 0);
    onlyCopyRunsAt(destination, source);
    Finished second = follow("", "--follow-timeout", "1").await(BOUND);
    expectExit(second, 6);
    finish();
  }

  @ParameterizedTest(name = "dumper-killed-{0}")
  @ValueSource(strings = {"prepared", "guarded", "held"})
  void aDumperKilledBeforeItIsArmedLeavesTheTreeAtTheSourceAndARetryWorks(String point) throws IOException {
    Running restorer = follow("", "--handover-timeout", "5");
    expectExit(migrate("dumper." + point + "=kill", 60), KILLED);
    if (!point.equals("prepared")) {
      // Where the source runs on and its files grow, the destination refuses them; otherwise it hears that the source was lost.
      assertThat(restorer.await(BOUND).exitCode()).isIn(3, 4);
      restorer = follow("");
    }
    onlyCopyRunsAt(source, destination);
    expectExit(migrate("", 60), 0);
    expectExit(restorer.await(BOUND), 0);
    onlyCopyRunsAt(destination, source);
    finish();
  }

  @ParameterizedTest(name = "dumper-killed-{0}")
  @ValueSource(strings = {"armed", "decided"})
  void aDumperKilledAfterItWasArmedCostsNothing(String point) throws IOException {
    Running restorer = follow("");
    expectExit(migrate("dumper." + point + "=kill", 60), KILLED);
    expectExit(restorer.await(BOUND), 0);
    onlyCopyRunsAt(destination, source);
    finish();
  }

  @ParameterizedTest(name = "dumper-fails-{0}")
  @ValueSource(strings = {"armed", "decided"})
  void aDumperThatFailsAfterItWasArmedNeverWakesTheTree(String point) throws IOException {
    Running restorer = follow("");
    expectExit(migrate("dumper." + point + "=fail", 60), 1);
    expectExit(restorer.await(BOUND), 0);
    onlyCopyRunsAt(destination, source);
    finish();
  }

  @Test
  void aRestorerKilledBeforeItsCopyIsReadyLeavesTheTreeAtTheSource() throws IOException {
    Running restorer = follow("restorer.built=kill");
    Finished dumper = migrate("", 3);
    expectExit(dumper, 4);
    assertThat(dumper.err()).contains("goes on here");
    expectExit(restorer.await(BOUND), KILLED);
    onlyCopyRunsAt(source, destination);
    finish();
  }

  @ParameterizedTest(name = "restorer-killed-{0}")
  @ValueSource(strings = {"ready", "decided"})
  void aRestorerKilledAfterTheDecisionIsStartedAgainAndTakesTheTreeOver(String point) throws IOException {
    Running restorer = follow("restorer." + point + "=kill");
    expectExit(migrate("", 60), 0);
    expectExit(restorer.await(BOUND), KILLED);
    assertThat(destination.lives(pid)).isFalse();
    expectExit(follow("").await(BOUND), 0);
    onlyCopyRunsAt(destination, source);
    finish();
  }

  @Test
  void aRestorerKilledWhenTheTreeRunsLeavesItRunning() throws IOException {
    Running restorer = follow("restorer.running=kill");
    expectExit(migrate("", 60), 0);
    expectExit(restorer.await(BOUND), KILLED);
    onlyCopyRunsAt(destination, source);
    finish();
  }

  @Test
  void aDestinationThatCannotTakeTheTreeTellsTheSourceWhy() throws IOException {
    Running restorer = follow("", "--pidfile", "/no/such/directory/pid");
    Finished dumper = migrate("", 60);
    expectExit(dumper, 4);
    assertThat(dumper.err()).contains("/no/such/directory/pid");
    expectExit(restorer.await(BOUND), 3);
    onlyCopyRunsAt(source, destination);
    finish();
  }
}
