package io.pagelift.pageserver.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.HostPort;
import io.pagelift.common.PageRun;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page-server as a process of its own. */
class PageServerMainTest {
  private static final long EXIT_SECONDS = 60;
  private static final ObjectInfo HEAP = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).build();

  @TempDir Path directory;

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void endAll() throws Exception {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
  }

  /** The program as the start script runs it; from JDK 24 on a library that loads native code is warned of without the flag. */
  private static List<String> java() {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path")));
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add(PageServerMain.class.getName());
    return command;
  }

  private Process start(String... arguments) throws IOException {
    List<String> command = java();
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectError(directory.resolve("stderr").toFile()).start();
    started.add(process);
    return process;
  }

  private Process serve() throws IOException {
    return start("--port", "0", "--store", directory.resolve("store").toString(), "--drain-timeout", "1");
  }

  private static HostPort address(Process server) throws IOException {
    BufferedReader out = server.inputReader(StandardCharsets.UTF_8);
    String line = out.readLine();
    assertThat(line).startsWith("listening on 127.0.0.1:");
    return HostPort.parse(line.substring("listening on ".length()));
  }

  private static int exitCode(Process process) throws InterruptedException {
    assertThat(process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private String said() throws IOException {
    return Files.readString(directory.resolve("stderr"));
  }

  private static void commitRound(MigrationSession session, int fill) {
    RoundWriter round = session.beginRound("none", "t");
    var pages = round.acquire();
    pages.bytes().put(0, (byte) fill);
    round.send(1, List.of(PageRun.data(0, 256)), pages);
    round.commit(List.of(HEAP), false);
  }

  @Test
  void itServesUntilItIsTerminatedAndKeepsWhatItCommitted() throws Exception {
    Process first = serve();
    try (PageServerClient client = PageServerClient.connect(address(first), ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      commitRound(session, 1);
      session.beginRound("none", "t");
      first.destroy();
      assertThat(exitCode(first)).isEqualTo(143);
    }
    Process second = serve();
    try (PageServerClient client = PageServerClient.connect(address(second), ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      assertThat(session.lastRound()).isEqualTo(1);
      assertThat(session.held(1).pageCount()).isEqualTo(256);
    }
  }

  @Test
  void killedInTheMiddleOfARoundItComesBackWithTheRoundsBefore() throws Exception {
    Process first = serve();
    try (PageServerClient client = PageServerClient.connect(address(first), ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      commitRound(session, 1);
      RoundWriter round = session.beginRound("none", "t");
      round.send(1, List.of(PageRun.data(1000, 256)), round.acquire());
      first.destroyForcibly();
      assertThat(exitCode(first)).isEqualTo(137);
    }
    Process second = serve();
    try (PageServerClient client = PageServerClient.connect(address(second), ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      assertThat(session.lastRound()).isEqualTo(1);
      commitRound(session, 2);
    }
  }

  @Test
  void whatItCannotDoIsOneSentenceAndAnExitCode() throws Exception {
    assertThat(exitCode(start())).isEqualTo(2);
    assertThat(said()).isEqualTo("page-server: missing --port=N and --store=DIR; see 'page-server --help'\n");
    assertThat(exitCode(start("--port", "70000", "--store", directory.resolve("s").toString()))).isEqualTo(2);
    assertThat(said()).contains("--port must be 0 to 65535").hasLineCount(1);
    assertThat(exitCode(start("--port", "0", "--store", directory.resolve("s").toString(), "--address", "0.0.0.0"))).isEqualTo(3);
    assertThat(said()).contains("--insecure-plain-text").hasLineCount(1);
    Path file = Files.createFile(directory.resolve("file"));
    assertThat(exitCode(start("--port", "0", "--store", file.toString()))).isBetween(2, 3);
    assertThat(said()).contains(file.toString()).hasLineCount(1);
  }

  private int run(String... arguments) throws Exception {
    Process process = start(arguments);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = exitCode(process);
    Files.writeString(directory.resolve("stdout"), output);
    return code;
  }

  @Test
  void migrationsAreRemovedAndSpaceComesBackWhileAServerRunsAndWhenNoneDoes() throws Exception {
    String store = directory.resolve("store").toString();
    Process server = serve();
    HostPort address = address(server);
    try (PageServerClient client = PageServerClient.connect(address, ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      commitRound(session, 1);
      commitRound(session, 2);
      assertThat(run("rm", "m", "--store", store)).isEqualTo(3);
      assertThat(said()).contains("'m' is being read or written").hasLineCount(1);
    }
    for (int i = 0; i < 50 && run("rm", "m", "--store", store) == 3; i++) {
      TimeUnit.MILLISECONDS.sleep(20); // until the server has seen the session's end
    }
    assertThat(run("ls", "--store", store, "--json")).isZero();
    assertThat(directory.resolve("stdout")).content().contains("\"migrations\": []");
    assertThat(run("gc", "--store", store, "--json")).isZero();
    assertThat(directory.resolve("stdout")).content().contains("\"segments_dropped\": 1", "\"bytes_freed\": 8224");
    server.destroy();
    assertThat(exitCode(server)).isEqualTo(143);

    assertThat(run("gc", "--store", store)).isZero();
    assertThat(run("rm", "m", "--store", store)).isEqualTo(2);
    assertThat(said()).contains("holds no migration named 'm'");
    assertThat(run("verify", "--store", store, "--read-data")).isZero();
  }

  @Test
  void itSaysWhenItIsReadyByAZeroByte() throws Exception {
    Path status = directory.resolve("status");
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec 7>\"$0\"; exec \"$@\" --status-fd 7", status.toString()));
    command.addAll(java());
    command.addAll(List.of("--port", "0", "--store", directory.resolve("store").toString()));
    Process server = new ProcessBuilder(command).redirectError(directory.resolve("stderr").toFile()).start();
    started.add(server);
    HostPort address = address(server);
    while (Files.size(status) == 0 && server.isAlive()) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    assertThat(Files.readAllBytes(status)).containsExactly(0);
    PageServerClient.connect(address, ClientOptions.defaults("test")).close();
  }

  @Test
  void figuresOfTheRunningServerAreServedForPrometheusAndLogsAreJson() throws Exception {
    Process process =
        start("--port", "0", "--store", directory.resolve("store").toString(), "--admin-port", "0", "--log-format=json", "-v");
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    HostPort server = HostPort.parse(out.readLine().substring("listening on ".length()));
    String figures = out.readLine();
    assertThat(figures).startsWith("figures at http://127.0.0.1:");
    try (PageServerClient client = PageServerClient.connect(server, ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      commitRound(session, 1);
      session.beginRound("none", "t");
      String text = read(figures.substring("figures at ".length()));
      assertThat(text.lines())
          .contains("pagelift_rounds_total{end=\"committed\"} 1.0", "pagelift_open_rounds 1.0", "pagelift_commit_seconds_count 1")
          .anyMatch(line -> line.startsWith("pagelift_pages_total{kind=\"stored\"} "))
          .anyMatch(line -> line.startsWith("pagelift_received_bytes_total 104"));
    }
    process.destroyForcibly().waitFor();
    assertThat(said().lines())
        .anyMatch(line -> line.contains("\"formattedMessage\":") && line.contains("round 1 of 'm' committed"))
        .filteredOn(line -> !line.startsWith("{"))
        .isEmpty();
  }

  private static String read(String url) throws Exception {
    java.net.http.HttpClient http = java.net.http.HttpClient.newHttpClient();
    return http.send(
            java.net.http.HttpRequest.newBuilder(java.net.URI.create(url)).timeout(java.time.Duration.ofSeconds(60)).build(),
            java.net.http.HttpResponse.BodyHandlers.ofString())
        .body();
  }

  @Test
  void aPortInUseIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = String.valueOf(taken.getLocalPort());
      assertThat(exitCode(start("--port", port, "--store", directory.resolve("store").toString()))).isEqualTo(3);
      assertThat(said()).contains("cannot listen on 127.0.0.1:" + port).contains("in use").hasLineCount(1);
    }
  }
}
