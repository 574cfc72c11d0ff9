package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system of 4 MiB. Needs root: mounting it must work, else the test fails. */
class StoreFullTest {
  @TempDir Path temporary;

  private Path mountPoint = Path.of("");

  @BeforeEach
  void mountSmallFileSystem() throws Exception {
    mountPoint = Files.createDirectory(temporary.resolve("small"));
    run("mount", "-t", "tmpfs", "-o", "size=4m", "pagelift-test", mountPoint.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", mountPoint.toString());
  }

  @Test
  void aFullDiskRefusesTheRoundAndLosesNoneThatWasCommitted() throws Exception {
    Path directory = mountPoint.resolve("store");
    int committed = 0;
    try (DirectoryPageStore store = Stores.open(directory)) {
      PageliftException refusal = null;
      while (refusal == null) {
        try {
          Stores.commit(store, "m", firstPage(committed), contents(committed));
          committed++;
        } catch (PageliftException e) {
          refusal = e;
        }
      }
      assertThat(refusal.category()).isEqualTo(ErrorCategory.EXHAUSTED);
      assertThat(refusal).hasMessageContaining(directory.toString()).hasMessageContaining("No space left on device");
      assertThat(committed).isBetween(3, 10);
      assertHeld(store, committed);

      run("mount", "-o", "remount,size=32m", mountPoint.toString());
      Stores.commit(store, "m", firstPage(committed), contents(committed));
      assertHeld(store, ++committed);
    }
    try (DirectoryPageStore store = Stores.open(directory)) {
      assertHeld(store, committed);
    }
    assertThat(StoreVerifier.verify(directory).damages()).isEmpty();
  }

  @Test
  void aStoreThatMayNotGrowRefusesTheRoundAndGoesOnWhenSpaceWasReclaimed() {
    Path directory = mountPoint.resolve("store");
    StoreOptions options = Stores.SMALL.withMaxStoreBytes(250 * 4112);
    try (DirectoryPageStore store = DirectoryPageStore.open(directory, options, PageHash.crc())) {
      Stores.commit(store, "old", 0, LongStream.rangeClosed(1001, 1160).toArray());
      Stores.commit(store, "m", 0, LongStream.rangeClosed(1, 60).toArray());

      assertThatThrownBy(() -> Stores.commit(store, "m", 0, contents(2)))
          .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.EXHAUSTED))
          .hasMessageContaining("--max-store-bytes")
          .hasMessageContaining("page-server gc");
      Stores.commit(store, "m", 500, 1001, 1002, 1003);
      store.remove("old", false);
      store.reclaim();
      Stores.assertHeld(store, "m", 0, LongStream.rangeClosed(1, 60).toArray());
      Stores.assertHeld(store, "m", 500, 1001, 1002, 1003);
      Stores.commit(store, "m", 0, contents(2));
      Stores.assertHeld(store, "m", 0, contents(2));
    }
  }

  @Test
  void aStoreThatCannotEvenBeginSaysSo() throws Exception {
    Files.write(mountPoint.resolve("ballast"), new byte[4 << 20]);

    assertThatThrownBy(() -> Stores.open(mountPoint.resolve("store")))
        .isInstanceOfSatisfying(
            PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.EXHAUSTED))
        .hasMessageContaining(mountPoint.toString());
  }

  private static void assertHeld(DirectoryPageStore store, int rounds) {
    for (int round = 0; round < rounds; round++) {
      Stores.assertHeld(store, "m", firstPage(round), contents(round));
    }
  }

  private static long firstPage(int round) {
    return round * 200L;
  }

  private static long[] contents(int round) {
    return LongStream.rangeClosed(1, 100).map(i -> i + round * 100L).toArray();
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("%s (this test needs root): %s", String.join(" ", command), output).isZero();
  }
}
