package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Await;
import io.pagelift.tests.harness.Finished;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong calls end at once with the documented code and one sentence, and touch nothing. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final int REMOTE = 4;

  private Workspace workspace;
  private Victim target;

  @BeforeAll
  void open() {
    workspace = Workspace.open("bad-input");
    target = Victim.start(workspace, "threads");
  }

  /** All the wrong calls have left the target as it was. */
  @AfterAll
  void theTargetOfAllWrongCallsRunsOn() {
    try (Workspace open = workspace) {
      assertThat(open.directory()).exists();
      assertThat(target.finish()).isEmpty();
    }
  }

  /** Arguments, the exit codes that fit, a word that the message must have. NOBODY listens on port 1. */
  static Stream<Arguments> wrongCalls() {
    return Stream.of(
        call("dumper", USAGE, "", ""),
        call("dumper frobnicate", USAGE, "frobnicate", ""),
        call("dumper dump", USAGE, "-t", ""),
        call("dumper dump -t 1", USAGE, "--to", ""),
        call("dumper dump -t abc --to 127.0.0.1:1", USAGE, "abc", ""),
        call("dumper dump -t 0 --to 127.0.0.1:1", USAGE, "0", ""),
        call("dumper dump -t -5 --to 127.0.0.1:1", USAGE, "-5", ""),
        call("dumper dump -t 99999999999 --to 127.0.0.1:1", USAGE, "99999999999", ""),
        call("dumper dump -t 4194303 --to 127.0.0.1:1 --name x", REFUSED, "4194303", "2 4"),
        call("dumper dump -t SELF --to 127.0.0.1:1 --name x", REFUSED, "outside the tree", ""),
        call("dumper dump -t TARGET --to nowhere", USAGE, "nowhere", ""),
        call("dumper dump -t TARGET --to 127.0.0.1:0", USAGE, "", "4"),
        call("dumper dump -t TARGET --to 127.0.0.1:99999", USAGE, "99999", ""),
        call("dumper dump -t TARGET --to 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds 0", USAGE, "rounds", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds -3", USAGE, "rounds", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --rounds many", USAGE, "many", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --mode=magic", USAGE, "magic", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --track=magic", USAGE, "magic", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name ../up", USAGE, "name", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name .hidden", USAGE, "name", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --name LONG", USAGE, "name", ""),
        call("dumper pre-dump -t TARGET --to 127.0.0.1:1 --stats /nowhere/file", USAGE, "", "4"),
        call("restorer", USAGE, "", ""),
        call("restorer frobnicate", USAGE, "frobnicate", ""),
        call("restorer restore", USAGE, "--from", ""),
        call("restorer restore --from 127.0.0.1:1 --store /tmp", USAGE, "--store", ""),
        call("restorer restore --from 127.0.0.1:1 --name x", REMOTE, "127.0.0.1:1", ""),
        call("restorer restore --from nowhere --name x", USAGE, "nowhere", ""),
        call("restorer restore --store /nowhere --name x", USAGE, "/nowhere", "3"),
        call("restorer restore --store /etc/passwd --name x", USAGE, "/etc/passwd", "3 5 6"),
        call("restorer show --store /nowhere --name x", USAGE, "/nowhere", "3"),
        call("page-server", USAGE, "--store", ""),
        call("page-server --port 70000 --store STORE", USAGE, "70000", ""),
        call("page-server --port abc --store STORE", USAGE, "abc", ""),
        call("page-server --port 0 --store /etc/passwd", USAGE, "/etc/passwd", "3 5 6"),
        call("page-server --port 0 --store /proc/nowhere", USAGE, "/proc/nowhere", "3 6"),
        call("page-server --port 0 --store STORE --address 0.0.0.0", REFUSED, "0.0.0.0", "2"),
        call("page-server --port 0 --store STORE --address not.an.address.invalid", USAGE, "not.an.address.invalid", "3"),
        call("page-server ls --store /nowhere", USAGE, "/nowhere", "3"),
        call("page-server show --store /nowhere x", USAGE, "/nowhere", "3"),
        call("page-server verify --store /nowhere", USAGE, "/nowhere", "3"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongCalls")
  void aWrongCallEndsWithItsCodeAndOneSentence(String line, List<Integer> codes, String word) {
    List<String> words = new ArrayList<>(List.of(line.split(" ", -1)));
    words.replaceAll(
        each ->
            switch (each) {
              case "SELF" -> Long.toString(ProcessHandle.current().pid());
              case "TARGET" -> Long.toString(target.pid());
              case "LONG" -> "x".repeat(129);
              case "STORE" -> workspace.directory().resolve("store").toString();
              default -> each;
            });
    Finished finished = workspace.startProgram(words.get(0), words.subList(1, words.size())).await(Await.LONG);
    assertThat(codes).as(finished.describe()).contains(finished.exitCode());
    assertThat(finished.err()).as(finished.describe()).contains(word).isNotBlank();
    assertNoStackTrace(finished);
  }

  @ParameterizedTest
  @MethodSource("programs")
  void helpAndVersionGoToStandardOutputWithCodeZero(String program) {
    for (String option : List.of("--help", "--version")) {
      Finished finished = workspace.runProgram(program, option).mustSucceed();
      assertThat(finished.out()).contains(program);
      assertThat(finished.err()).isEmpty();
    }
  }

  static Stream<String> programs() {
    return Stream.of("page-server", "dumper", "restorer");
  }

  @Test
  void aServerThatSpeaksSomethingElseIsNamedAndTheTargetRunsOn() throws IOException {
    try (Workspace own = Workspace.open("foreign-server");
        ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread foreign = new Thread(() -> answerWithSomethingElse(socket), "foreign server");
      foreign.setDaemon(true);
      foreign.start();
      Victim victim = Victim.start(own, "threads");
      String address = "127.0.0.1:" + socket.getLocalPort();
      Finished dump = own.runProgram("dumper", "dump", "-t", Long.toString(victim.pid()), "--to", address, "--name", "x");
      assertThat(dump.exitCode()).as(dump.describe()).isIn(REMOTE, 5);
      assertThat(dump.err()).contains(address);
      assertNoStackTrace(dump);
      Finished restore = own.runProgram("restorer", "restore", "--from", address, "--name", "x");
      assertThat(restore.exitCode()).as(restore.describe()).isIn(REMOTE, 5);
      assertNoStackTrace(restore);
      assertThat(victim.finish()).isEmpty();
    }
  }

  private static void answerWithSomethingElse(ServerSocket socket) {
    try {
      while (true) {
        try (java.net.Socket peer = socket.accept()) {
          peer.getOutputStream().write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
          peer.getOutputStream().flush();
          peer.getInputStream().read(new byte[4096]);
        }
      }
    } catch (IOException e) {
      // The test is over: the socket was closed.
    }
  }

  private static void assertNoStackTrace(Finished finished) {
    assertThat(finished.err()).as(finished.describe()).doesNotContain("\tat ").doesNotContain("Exception");
  }

  private static Arguments call(String line, int code, String word, String otherCodes) {
    List<Integer> codes = new ArrayList<>(List.of(code));
    Arrays.stream(otherCodes.split(" ", -1)).filter(text -> !text.isEmpty()).map(Integer::valueOf).forEach(codes::add);
    return Arguments.of(line, codes, word);
  }
}
