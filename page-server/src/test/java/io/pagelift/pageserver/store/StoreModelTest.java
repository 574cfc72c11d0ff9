package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.PageRun;
import io.pagelift.store.PlaceRuns;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.StoreReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random rounds of data, zero and dropped pages in two migrations, aborted, committed and reopened at random, against plain
 * maps. Contents come from a small stock, so that deduplication has work; segments are small, so that they roll.
 */
class StoreModelTest {
  private static final StoreOptions OPTIONS = new StoreOptions(300, DedupTable.MIN_SLOTS, 1 << 20);
  private static final int STEPS = 60;
  private static final int OBJECTS = 3;
  private static final long PAGE_SPACE = 700;

  private static final PageRun.Kind[] KINDS = {
    PageRun.Kind.DATA, PageRun.Kind.DATA, PageRun.Kind.DATA, PageRun.Kind.DATA, PageRun.Kind.ZERO, PageRun.Kind.DROP
  };

  @TempDir Path temporary;

  private final Map<String, Map<Long, Map<Long, Long>>> model = new HashMap<>();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void theStoreHoldsWhatAPlainMapHolds(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    DirectoryPageStore store = open();
    try {
      for (int step = 0; step < STEPS; step++) {
        String name = random.nextInt(3) == 0 ? "one" : "two";
        try (MigrationLog migration = store.openMigration(name, true)) {
          round(migration, random);
        }
        if (random.nextInt(6) == 0) {
          store.reclaim();
        }
        if (random.nextInt(8) == 0) {
          store.close();
          store = open();
        }
        if (random.nextInt(4) == 0) {
          compare(store);
        }
      }
      compare(store);
      assertThat(StoreVerifier.verify(temporary.resolve("store")).damages()).isEmpty();
    } finally {
      store.close();
    }
  }

  private DirectoryPageStore open() {
    return DirectoryPageStore.open(temporary.resolve("store"), OPTIONS, PageHash.crc());
  }

  private void round(MigrationLog migration, SplittableRandom random) {
    Map<Long, Map<Long, Long>> next = copy(model.getOrDefault(migration.name(), Map.of()));
    int number = migration.lastRound() + 1;
    RoundInProgress round = migration.beginRound(number, "none", "token-" + number, 1);
    int batches = random.nextInt(12);
    for (int i = 0; i < batches; i++) {
      batch(round, random, next);
    }
    if (random.nextInt(5) == 0) {
      round.abort();
      return;
    }
    boolean complete = random.nextBoolean();
    if (complete) {
      putTree(round, migration.name() + number);
    }
    round.commit(List.of(), complete);
    model.put(migration.name(), next);
    assertThat(migration.lastRound()).isEqualTo(number);
    assertThat(migration.complete()).isEqualTo(complete);
    assertThat(migration.trackingToken()).isEqualTo("token-" + number);
    if (complete) {
      assertThat(readTree(migration.name())).isEqualTo(migration.name() + number);
    }
  }

  private static void putTree(RoundInProgress round, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    round.putImagePart("tree", 0, bytes.length, ByteBuffer.wrap(bytes, 0, 2));
    round.putImagePart("tree", 2, bytes.length, ByteBuffer.wrap(bytes, 2, bytes.length - 2));
  }

  private String readTree(String name) {
    try (StoreReader reader = StoreReader.open(temporary.resolve("store"))) {
      return new String(reader.migration(name).readBlob("tree"), StandardCharsets.UTF_8);
    }
  }

  private static void batch(RoundInProgress round, SplittableRandom random, Map<Long, Map<Long, Long>> model) {
    long object = 1L + random.nextInt(OBJECTS);
    Map<Long, Long> pages = model.computeIfAbsent(object, id -> new TreeMap<>());
    List<PageRun> runs = new ArrayList<>();
    List<Long> payload = new ArrayList<>();
    int wanted = 1 + random.nextInt(6);
    for (int i = 0; i < wanted; i++) {
      PageRun.Kind kind = KINDS[random.nextInt(KINDS.length)];
      PageRun run = new PageRun(random.nextLong(PAGE_SPACE), 1 + random.nextInt(40), kind);
      runs.add(run);
      long firstContent = random.nextInt(400);
      int stride = random.nextInt(3) == 0 ? 0 : 1;
      for (int page = 0; page < run.pageCount(); page++) {
        long content = firstContent + (long) page * stride;
        switch (kind) {
          case DATA -> {
            payload.add(content);
            pages.put(run.firstPage() + page, content);
          }
          case ZERO -> pages.put(run.firstPage() + page, 0L);
          case DROP -> pages.remove(run.firstPage() + page);
        }
      }
    }
    round.append(object, runs, PageContents.payload(payload.stream().mapToLong(Long::longValue).toArray()));
  }

  private void compare(DirectoryPageStore store) {
    for (Map.Entry<String, Map<Long, Map<Long, Long>>> entry : model.entrySet()) {
      try (MigrationReader reader = store.readMigration(entry.getKey());
          StoreReader direct = StoreReader.open(temporary.resolve("store"))) {
        for (Map.Entry<Long, Map<Long, Long>> object : entry.getValue().entrySet()) {
          PlaceRuns places = direct.migration(entry.getKey()).places(object.getKey());
          comparePages(reader, object.getKey(), places, object.getValue());
        }
      }
    }
  }

  private static void comparePages(MigrationReader reader, long object, PlaceRuns places, Map<Long, Long> expected) {
    ByteBuffer actual = ByteBuffer.allocateDirect(StoreLayout.PAGE_BYTES);
    assertThat(places.totalPages()).isEqualTo(expected.size());
    assertThat(reader.held(object).pageCount()).isEqualTo(expected.size());
    long previousEnd = 0;
    for (int run = 0; run < places.size(); run++) {
      assertThat(places.firstPage(run)).isGreaterThanOrEqualTo(previousEnd);
      previousEnd = places.firstPage(run) + places.pageCount(run);
    }
    expected.forEach(
        (page, content) -> {
          assertThat(places.contains(page)).as("page %d of object %d", page, object).isTrue();
          assertThat(places.segment(places.indexOf(page)) == PlaceRuns.ZERO_SEGMENT).isEqualTo(content == 0);
          reader.readPages(object, page, 1, actual.clear());
          assertThat(actual.flip().mismatch(PageContents.payload(content))).as("page %d", page).isEqualTo(-1);
        });
  }

  private static Map<Long, Map<Long, Long>> copy(Map<Long, Map<Long, Long>> source) {
    Map<Long, Map<Long, Long>> copy = new HashMap<>();
    source.forEach((object, pages) -> copy.put(object, new TreeMap<>(pages)));
    return copy;
  }
}
