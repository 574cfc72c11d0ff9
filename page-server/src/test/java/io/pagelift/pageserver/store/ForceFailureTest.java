package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that says once that it could not keep something, and takes everything afterwards: Linux does just that. */
class ForceFailureTest {
  @TempDir Path temporary;

  private RecordedFileSystem files = new RecordedFileSystem(Path.of(""), new ModelDisk((state, acknowledged) -> {}));
  private ModelDisk disk = new ModelDisk((state, acknowledged) -> {});

  @BeforeEach
  void makeDisk() throws Exception {
    files = new RecordedFileSystem(Files.createDirectory(temporary.resolve("recorded")), disk);
  }

  @Test
  void afterAnyFailedForceTheStoreTakesNothingMoreAndServesWhatWasCommitted() {
    int failed = 0;
    for (String file : List.of(".pages", ".index", ".blob.part", ".round.part", "migrations/m", "migrations")) {
      disk = new ModelDisk((state, acknowledged) -> {});
      files = new RecordedFileSystem(make("failing" + failed++), disk);
      try (DirectoryPageStore store = DirectoryPageStore.open(files.directory(), Stores.SMALL, PageHash.crc())) {
        Stores.commitComplete(store, "m", 0, 1, 2, 3);
        MigrationLog other = store.openMigration("other", true);
        RoundInProgress pending = Stores.begin(other);
        disk.failNextForce(file);
        String name = file.equals("migrations") ? "new" : "m";

        assertTakesNothing(file, () -> Stores.commitComplete(store, name, 0, 7, 8));
        assertTakesNothing(file, () -> Stores.commitComplete(store, "m", 0, 7, 8));
        assertTakesNothing(file, () -> pending.append(1, List.of(PageRun.data(0, 1)), PageContents.payload(5)));
        assertTakesNothing(file, () -> store.openMigration("another", true));
        Stores.assertHeld(store, "m", 0, 1, 2, 3);
      }
      try (DirectoryPageStore store = DirectoryPageStore.open(files.directory(), Stores.SMALL, PageHash.crc())) {
        Stores.assertHeld(store, "m", 0, 1, 2, 3);
        Stores.commit(store, "m", 0, 7, 8);
        Stores.assertHeld(store, "m", 0, 7, 8, 3);
      }
    }
  }

  private Path make(String name) {
    try {
      return Files.createDirectory(temporary.resolve(name));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void assertTakesNothing(String file, ThrowingCallable call) {
    assertThatThrownBy(call)
        .as("after a failed force of %s", file)
        .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.EXHAUSTED))
        .hasMessageContaining("takes no more rounds")
        .hasMessageContaining("Input/output error")
        .hasMessageContaining("start the page-server again");
  }
}
