package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Running;
import io.pagelift.tests.harness.Untouched;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A server that speaks something else, says nothing, or has a full disk: named, bounded, and the source runs on. */
class BadPeerTest {
  private static final int REMOTE = 4;
  private static final int EXHAUSTED = 6;

  @Test
  void aServerThatSpeaksSomethingElseIsNamed() throws IOException {
    expectAllFail("foreign-server", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  }

  /** All commands wait at the same time: the bound for a greeting is half a minute. */
  @Test
  void aServerThatAcceptsAndSaysNothingIsGivenUpAfterAWhile() throws IOException {
    expectAllFail("silent-server", "");
  }

  private static void expectAllFail(String name, String answer) throws IOException {
    try (Workspace workspace = Workspace.open(name);
        ServerSocket socket = new ServerSocket(0, 20, InetAddress.getLoopbackAddress())) {
      Thread foreign = new Thread(() -> serve(socket, answer), name);
      foreign.setDaemon(true);
      foreign.start();
      Victim victim = Victim.start(workspace, "threads");
      Untouched before = Untouched.of(victim.pid());
      String address = "127.0.0.1:" + socket.getLocalPort();
      String pid = Long.toString(victim.pid());
      List<Running> commands =
          List.of(
              workspace.startProgram("dumper", List.of("pre-dump", "-t", pid, "--to", address, "--name", "x")),
              workspace.startProgram("dumper", List.of("dump", "-t", pid, "--to", address, "--name", "x")),
              workspace.startProgram("restorer", List.of("restore", "--from", address, "--name", "x")),
              workspace.startProgram("restorer", List.of("show", "--from", address, "--name", "x")));
      for (Running command : commands) {
        BadInputTest.expectFailure(command, REMOTE, address);
      }
      before.expect(victim.pid(), "talking to a server that is none");
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static void serve(ServerSocket socket, String answer) {
    List<Socket> open = new ArrayList<>();
    try {
      while (true) {
        Socket peer = socket.accept();
        open.add(peer);
        peer.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
        peer.getOutputStream().flush();
      }
    } catch (IOException e) {
      // The test is over: the socket was closed.
      open.forEach(BadPeerTest::close);
    }
  }

  private static void close(Socket peer) {
    try {
      peer.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }

  @Test
  void aFullDiskAtTheServerEndsTheRoundAndMoreSpaceLetsItGoOn() throws Exception {
    try (Workspace workspace = Workspace.open("full-disk")) {
      Path mountPoint = Files.createDirectories(workspace.directory().resolve("small"));
      run("mount", "-t", "tmpfs", "-o", "size=16m", "pagelift-test", mountPoint.toString());
      try {
        PageServer server = PageServer.start(workspace, mountPoint.resolve("store"));
        Victim victim = Victim.start(workspace, "counter", "32", "4");
        Untouched before = Untouched.of(victim.pid());
        for (String command : List.of("pre-dump", "dump")) {
          List<String> arguments = List.of(command, "-t", Long.toString(victim.pid()), "--to", server.address(), "--name", "full");
          BadInputTest.expectFailure(workspace.startProgram("dumper", arguments), EXHAUSTED, server.address());
          before.expect(victim.pid(), "a " + command + " to a server whose disk is full");
        }
        run("mount", "-o", "remount,size=256m", mountPoint.toString());
        new Migration(victim, server, "full").run(1);
        assertThat(victim.finish(Duration.ofMinutes(2))).isEmpty();
        server.stop();
      } finally {
        run("umount", "-l", mountPoint.toString());
      }
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
  }
}
