package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.pagelift.common.PageRun;
import io.pagelift.store.StoreLayout;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Short sequences of rounds on a disk that forgets unforced bytes: power is lost after every single operation, every disk that
 * this may leave is opened by the real recovery, and read back.
 */
class ForgetfulDiskTest {
  /** Every page that a round of these tests brings, by round and page; 0 is the zero page. */
  private static final List<Map<Long, Long>> ROUNDS =
      List.of(Map.of(0L, 1L, 1L, 2L, 2L, 1L), Map.of(1L, 3L, 5L, 1L, 6L, 0L), Map.of(0L, 4L, 7L, 3L));

  /** Thrown where the process would have been killed: nothing is cleaned up. */
  @SuppressWarnings("serial")
  private static final class Killed extends Error {}

  @TempDir Path temporary;

  private final List<Map<String, Integer>> acknowledgements = new ArrayList<>(List.of(Map.of()));
  private final Map<String, Integer> acknowledged = new HashMap<>();
  private final Logger log = (Logger) LoggerFactory.getLogger("io.pagelift");
  private final Level level = log.getEffectiveLevel();
  private int checks;
  private ModelDisk disk = new ModelDisk(this::check);
  private RecordedFileSystem files = new RecordedFileSystem(Path.of(""), disk);

  @BeforeEach
  void makeDisk() throws IOException {
    log.setLevel(Level.OFF);
    files = new RecordedFileSystem(Files.createDirectory(temporary.resolve("recorded")), disk);
  }

  @AfterEach
  void speakAgain() {
    log.setLevel(level);
  }

  @Test
  void aNewStoreSurvivesTheLossOfPowerFromItsFirstOperationOn() {
    disk.beginVisiting();
    try (DirectoryPageStore store = open(step -> {})) {
      commit(store, "m");
    }
    assertThat(disk.visited()).isGreaterThan(50);
  }

  @Test
  void roundsThatShareAndAbandonPagesSurviveTheLossOfPower() {
    try (DirectoryPageStore store = open(step -> {})) {
      commit(store, "m");
      disk.beginVisiting();
      try (MigrationLog migration = store.openMigration("m", false)) {
        RoundInProgress abandoned = Stores.begin(migration);
        abandoned.append(1, List.of(PageRun.data(1, 1)), PageContents.payload(2));
        abandoned.abort();
      }
      commit(store, "n");
      commit(store, "m");
    }
    assertThat(disk.visited()).isGreaterThan(200);
  }

  @Test
  void givingSpaceBackSurvivesTheLossOfPowerAtEveryStep() {
    try (DirectoryPageStore store = open(step -> {})) {
      commit(store, "m");
      commit(store, "m");
      Stores.commit(store, "removed", 0, 11, 12, 13, 14, 15, 16, 17, 18);
      disk.beginVisiting();
      store.remove("removed", false);
      assertThat(store.reclaim().segmentsDropped()).isEqualTo(1);
    }
    assertThat(disk.visited()).isGreaterThan(50);
  }

  /** A killed process leaves everything in the page cache: the next one sees it, and must not build on what is not forced. */
  @ParameterizedTest
  @EnumSource(StoreStep.class)
  void whatANewServerClaimsAfterAKillSurvivesTheLossOfPowerToo(StoreStep killedAt) {
    try (DirectoryPageStore store = open(step -> {})) {
      commit(store, "m");
    }
    DirectoryPageStore killed =
        open(
            step -> {
              if (step == killedAt) {
                throw new Killed();
              }
            });
    // As kill -9 would have it: nothing is closed.
    MigrationLog open = killed.openMigration("m", false);
    assertThatThrownBy(() -> commit(open)).isInstanceOf(Killed.class);
    disk.beginVisiting();
    try (DirectoryPageStore store = open(step -> {})) {
      try (MigrationReader reader = store.readMigration("m")) {
        acknowledge("m", reader.lastRound());
      }
      store.openMigration("m", false).close();
    }
    assertThat(disk.visited()).isGreaterThan(5);
  }

  private DirectoryPageStore open(StoreStep.Watch watch) {
    return DirectoryPageStore.open(files.directory(), Stores.SMALL, PageHash.crc(), watch);
  }

  private void commit(DirectoryPageStore store, String name) {
    try (MigrationLog migration = store.openMigration(name, true)) {
      commit(migration);
      acknowledge(name, migration.lastRound());
    }
  }

  private static void commit(MigrationLog migration) {
    RoundInProgress round = Stores.begin(migration);
    int number = migration.lastRound() + 1;
    Map<Long, Long> pages = new TreeMap<>(ROUNDS.get(number - 1));
    List<PageRun> runs = pages.keySet().stream().map(page -> PageRun.data(page, 1)).toList();
    round.append(1, runs, PageContents.payload(pages.values().stream().mapToLong(Long::longValue).toArray()));
    byte[] tree = tree(number);
    if (number == 2) {
      round.putImagePart("tree", 0, tree.length, ByteBuffer.wrap(tree));
    }
    round.commit(List.of(), number == 2);
  }

  private static byte[] tree(int round) {
    return ("tree of round " + round).getBytes(StandardCharsets.UTF_8);
  }

  private void acknowledge(String name, int round) {
    acknowledged.put(name, round);
    acknowledgements.add(Map.copyOf(acknowledged));
    disk.acknowledge(acknowledgements.size() - 1);
  }

  /** What the next server must make of a disk. */
  private void check(ModelDisk.State state, int acknowledgement) {
    Path directory = temporary.resolve("disk" + checks++);
    try {
      Files.createDirectory(directory);
      state.write(directory);
      checkOpens(directory, acknowledgements.get(acknowledgement));
      delete(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("disk of " + state.files().keySet() + " after " + acknowledgements.get(acknowledgement), e);
    }
  }

  private static void checkOpens(Path directory, Map<String, Integer> promised) {
    StoreOptions unforced = Stores.SMALL.withDurability(Durability.NONE); // this disk is not the one under test
    try (DirectoryPageStore store = DirectoryPageStore.open(directory, unforced, PageHash.crc())) {
      for (String name : List.of("m", "n")) {
        int promisedRound = promised.getOrDefault(name, 0);
        if (promisedRound > 0 || Files.exists(directory.resolve("migrations/" + name))) {
          checkMigration(store, name, promisedRound);
        }
      }
      assertThat(StoreVerifier.verify(directory).damages()).isEmpty();
      Stores.commit(store, "afterwards", 0, 1, 2, 3, 99);
      Stores.assertHeld(store, "afterwards", 0, 1, 2, 3, 99);
    }
  }

  private static void checkMigration(DirectoryPageStore store, String name, int promisedRound) {
    try (MigrationReader reader = store.readMigration(name)) {
      assertThat(reader.lastRound()).isBetween(promisedRound, ROUNDS.size());
      Map<Long, Long> expected = new TreeMap<>();
      ROUNDS.subList(0, reader.lastRound()).forEach(expected::putAll);
      assertThat(reader.held(1).pageCount()).isEqualTo(expected.size());
      ByteBuffer page = ByteBuffer.allocateDirect(StoreLayout.PAGE_BYTES);
      expected.forEach(
          (number, content) -> {
            reader.readPages(1, number, 1, page.clear());
            assertThat(page.flip().mismatch(PageContents.payload(content))).isEqualTo(-1);
          });
      assertThat(reader.complete()).isEqualTo(reader.lastRound() == 2);
      if (reader.complete()) {
        ByteBuffer tree = ByteBuffer.allocate((int) reader.imageBytes("tree"));
        reader.readImage("tree", 0, tree);
        assertThat(tree.array()).isEqualTo(tree(2));
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
