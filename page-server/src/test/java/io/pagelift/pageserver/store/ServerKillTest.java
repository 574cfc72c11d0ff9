package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.HostPort;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The server is killed with SIGKILL at every named step and at random moments, while a client keeps a ledger of what was
 * acknowledged: all of that reads back, and what else the server claims to have is whole. {@code -Dpagelift.kills=200} asks for
 * more kills.
 */
class ServerKillTest {
  private static final int PAGES = 48;
  private static final long EXIT_SECONDS = 60;
  private static final ObjectInfo HEAP = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).build();

  @TempDir Path temporary;

  private volatile int ledger;

  @ParameterizedTest
  @EnumSource(StoreStep.class)
  void everyAcknowledgedPageReadsBackAfterAKillAt(StoreStep step) throws Exception {
    Process server = start(step.name(), "3");
    try (BufferedReader output = server.inputReader(StandardCharsets.UTF_8)) {
      HostPort address = address(output);
      Thread client = new Thread(() -> commitUntilCut(address), "client");
      client.start();
      assertThat(next(output, "at ")).isEqualTo(step.name());
      server.toHandle().destroyForcibly();
      end(server);
      client.join(TimeUnit.SECONDS.toMillis(EXIT_SECONDS));
      assertThat(client.isAlive()).isFalse();
    } finally {
      end(server);
    }
    assertThat(ledger).isPositive();
    checkLedger();
  }

  @Test
  void everyAcknowledgedPageReadsBackAfterKillsAtRandom() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    int kills = Integer.getInteger("pagelift.kills", 20);
    for (int kill = 0; kill < kills; kill++) {
      Process server = start();
      try (BufferedReader output = server.inputReader(StandardCharsets.UTF_8)) {
        HostPort address = address(output);
        Thread client = new Thread(() -> commitUntilCut(address), "client");
        int wanted = ledger + random.nextInt(4);
        client.start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(EXIT_SECONDS);
        while (ledger < wanted && System.nanoTime() < deadline) {
          TimeUnit.MILLISECONDS.sleep(1);
        }
        TimeUnit.NANOSECONDS.sleep(random.nextInt(10_000_000));
        server.toHandle().destroyForcibly();
        end(server);
        client.join(TimeUnit.SECONDS.toMillis(EXIT_SECONDS));
        assertThat(client.isAlive()).isFalse();
      } finally {
        end(server);
      }
      checkLedger();
    }
  }

  /** The pages of a round: half of them new, half those of the round before, one zero. */
  private static long[] contents(int round) {
    return LongStream.range(0, PAGES).map(i -> i == 5 ? 0 : round * (PAGES / 2L) + i + 1).toArray();
  }

  private static byte[] tree(int round) {
    return ("tree of round " + round).getBytes(StandardCharsets.UTF_8);
  }

  /** Commits rounds, each in a place of its own, until the connection is lost; the ledger holds the last one acknowledged. */
  private void commitUntilCut(HostPort address) {
    try (PageServerClient client = PageServerClient.connect(address, ClientOptions.defaults("test"));
        MigrationSession session = client.openForWriting("m")) {
      ledger = Math.max(ledger, session.lastRound());
      while (true) {
        RoundWriter round = session.beginRound("none", "t");
        long[] contents = contents(round.round());
        PageBatchBuffer buffer = round.acquire();
        buffer.bytes().put(PageContents.payload(contents));
        round.send(1, List.of(PageRun.data((long) round.round() * PAGES, PAGES)), buffer);
        round.image("tree", ByteBuffer.wrap(tree(round.round())));
        round.commit(List.of(HEAP), true);
        ledger = round.round();
      }
    } catch (PageliftException e) {
      // The server was killed.
    }
  }

  /** Reads back through the real recovery what was acknowledged, and the round that may have been committed just before the kill. */
  private void checkLedger() {
    Path directory = temporary.resolve("store");
    try (DirectoryPageStore store = Stores.open(directory)) {
      if (ledger == 0 && store.list().isEmpty()) {
        return;
      }
      try (MigrationReader migration = store.readMigration("m")) {
        assertThat(migration.lastRound()).isBetween(ledger, ledger + 1);
        for (int round = 1; round <= migration.lastRound(); round++) {
          Stores.assertHeld(store, "m", (long) round * PAGES, contents(round));
        }
        assertThat(migration.held(1).pageCount()).isEqualTo((long) migration.lastRound() * PAGES);
        if (migration.lastRound() > 0) {
          ByteBuffer tree = ByteBuffer.allocate((int) migration.imageBytes("tree"));
          migration.readImage("tree", 0, tree);
          assertThat(tree.array()).isEqualTo(tree(migration.lastRound()));
        }
      }
    }
    assertThat(StoreVerifier.verify(directory).damages()).isEmpty();
  }

  private Process start(String... step) throws IOException {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx96m", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"), WatchedServer.class.getName(), temporary.resolve("store").toString()));
    command.addAll(List.of(step));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static HostPort address(BufferedReader output) throws IOException {
    return HostPort.parse(next(output, "listening on "));
  }

  /** What follows these words on a line of their own, past lines of logging; empty at the end. */
  private static String next(BufferedReader output, String words) throws IOException {
    String line = output.readLine();
    while (line != null && !line.startsWith(words)) {
      line = output.readLine();
    }
    return line == null ? "" : line.substring(words.length());
  }

  private static void end(Process process) throws InterruptedException {
    process.destroyForcibly();
    assertThat(process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)).as("the killed server ended").isTrue();
  }
}
