package io.pagelift.tests.victim;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each victim goes on as if nothing had happened, moved in the middle of what it does. All of them go through one page-server and one
 * store, as they would in a data centre.
 */
class VictimMigrationTest {
  private static Workspace serverWorkspace;
  private static PageServer server;

  @BeforeAll
  static void startServer() {
    serverWorkspace = Workspace.open("moved-server");
    server = PageServer.start(serverWorkspace);
  }

  @AfterAll
  static void stopServer() {
    serverWorkspace.close();
  }

  static Stream<Arguments> casesAndRounds() {
    return VictimCase.all().flatMap(victimCase -> Stream.of(Arguments.of(victimCase, 0), Arguments.of(victimCase, 3)));
  }

  @ParameterizedTest(name = "{0}, {1} pre-dump rounds")
  @MethodSource("casesAndRounds")
  void aMovedVictimFindsNothingBroken(VictimCase victimCase, int rounds) {
    String name = "moved-" + victimCase + "-" + rounds;
    try (Workspace workspace = Workspace.open(name)) {
      Victim victim = Victim.start(workspace, victimCase.program(), victimCase.options());
      new Migration(victim, server, migrationName(name)).run(rounds, victimCase.dumpOptions());
      Await.pauseMillis(100);
      assertThat(victim.finish()).isEmpty();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("io.pagelift.tests.victim.VictimCase#refused")
  void whatIsNotCarriedYetIsRefusedByNameAndTheVictimRunsOn(VictimCase victimCase) {
    String name = "refused-" + victimCase;
    try (Workspace workspace = Workspace.open(name)) {
      Victim victim = Victim.start(workspace, victimCase.program(), victimCase.options());
      String pid = Long.toString(victim.pid());
      Finished dump = workspace.runProgram("dumper", "dump", "-t", pid, "--to", server.address(), "--name", migrationName(name));
      assertThat(dump.exitCode()).as(dump.describe()).isEqualTo(3);
      assertThat(dump.err()).contains(pid);
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static String migrationName(String text) {
    return text.replaceAll("[^A-Za-z0-9._-]+", "-");
  }
}
