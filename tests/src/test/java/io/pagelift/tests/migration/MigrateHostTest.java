package io.pagelift.tests.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.CountLog;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Home;
import io.pagelift.tests.harness.NamespaceHost;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The script for two hosts. In place of ssh it gets a command that enters another pid namespace on the same network. */
class MigrateHostTest {
  private static final Duration BOUND = Duration.ofMinutes(5);

  private static Finished migrateHost(Workspace workspace, Victim victim, String ssh, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of(Home.program("migrate-host").toString(), "-t", Long.toString(victim.pid()), "--to", "there", "--ssh", ssh));
    command.addAll(List.of("--port", Integer.toString(freePort()), "--name", "m"));
    command.addAll(List.of(options));
    return workspace.start(command).await(BOUND);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static String otherHost(Workspace workspace, NamespaceHost host) throws IOException {
    Path script = workspace.directory().resolve("ssh");
    Files.writeString(script, "#!/bin/sh\n[ \"$1\" != -N ] || exec sleep 100000\nshift\nexec " + host.enterCommand() + " sh -c \"$*\"\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    return script.toString();
  }

  @Test
  void aTreeMovesToAnotherHostAndNothingIsLeftBehind() throws IOException {
    try (Workspace workspace = Workspace.open("migrate-host")) {
      NamespaceHost there = NamespaceHost.start(workspace);
      Victim victim = Victim.start(workspace, "counter", "8", "4");
      Finished migrated = migrateHost(workspace, victim, otherHost(workspace, there), "--", "--guard-log", workspace.directory().resolve("guard.log").toString());
      assertThat(migrated.exitCode()).as(migrated.describe()).isZero();
      assertThat(migrated.out()).contains("process " + victim.pid() + " runs on there");
      assertThat(there.runs(victim.pid())).isTrue();
      long lines = CountLog.read(victim.directory()).lineCount();
      Await.until("the count goes on", Await.LONG, () -> CountLog.read(victim.directory()).lineCount() > lines + 20);
      assertThat(there.run("pgrep", "-f", "page-server|RestorerMain").out()).isEmpty();
      assertThat(Path.of("/var/tmp")).isDirectoryNotContaining("glob:**/pagelift-m-*");
      Files.writeString(victim.directory().resolve("stop"), "");
      Path result = victim.directory().resolve("result");
      Await.until("the victim's result", Await.LONG, () -> Files.exists(result));
      assertThat(result).hasContent("PASS");
      assertThat(CountLog.read(victim.directory()).breaks()).isEmpty();
      there.end();
    }
  }

  @Test
  void aHostThatCannotBeReachedLeavesTheTreeAsItWas() throws IOException {
    try (Workspace workspace = Workspace.open("migrate-host-unreachable")) {
      Victim victim = Victim.start(workspace, "counter", "8", "4");
      Finished failed = migrateHost(workspace, victim, "false");
      assertThat(failed.exitCode()).as(failed.describe()).isEqualTo(4);
      assertThat(failed.err()).contains("the page-server on there ended");
      assertThat(victim.finish()).isEmpty();
    }
  }

  @Test
  void aDryRunSaysWhatItWouldDoAndDoesNothing() throws IOException {
    try (Workspace workspace = Workspace.open("migrate-host-dry")) {
      Victim victim = Victim.start(workspace, "counter", "8", "4");
      Finished dry = migrateHost(workspace, victim, "false", "--dry-run", "--", "--max-rounds", "3");
      assertThat(dry.exitCode()).as(dry.describe()).isZero();
      assertThat(dry.out())
          .contains("dumper check -t " + victim.pid(), "bin/page-server --port", "restore --follow", "--name m --max-rounds 3");
      assertThat(victim.finish()).isEmpty();
    }
  }
}
