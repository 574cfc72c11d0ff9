package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A small store with two migrations, damaged in every way that one bit or a missing end can damage it. */
class StoreDamageTest {
  private static final String PAGES = "segments/00000001.pages";
  private static final String MANIFEST = "migrations/web/00000002.round";

  @TempDir Path store;

  @BeforeEach
  void writeTwoMigrations() {
    try (DirectoryPageStore open = Stores.open(store)) {
      Stores.commit(open, "web", 0x7f000, 1, 2, 0, 3);
      Stores.commitComplete(open, "web", 0x7f010, 4, 5);
      Stores.commitComplete(open, "mail", 10, 6);
    }
    assertThat(StoreVerifier.verify(store).damages()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"STORE", PAGES, "segments/00000001.index", MANIFEST, "migrations/web/00000002.tree.blob"})
  void everyFlippedBitIsFound(String name) throws IOException {
    Path file = store.resolve(name);
    byte[] good = Files.readAllBytes(file);
    int step = good.length > 4096 ? 509 : 1;
    for (int at = 0; at < good.length; at += step) {
      byte[] bad = good.clone();
      bad[at] ^= (byte) (1 << at % 8);
      Files.write(file, bad);
      assertThat(findings()).as("bit %d of byte %d of %s", at % 8, at, name).isNotEmpty();
      assertServesNothingWrong("bit " + at % 8 + " of byte " + at + " of " + name);
    }
    Files.write(file, good);
    assertThat(findings()).isEmpty();
  }

  /** Whatever is damaged: a reader gets what was stored, or an error that names the damage; never anything else. */
  private void assertServesNothingWrong(String damage) {
    try (StoreReader reader = StoreReader.open(store)) {
      for (String name : List.of("web", "mail")) {
        serve(damage, new CommittedMigration(reader, reader.migration(name), 1000, () -> {}), name);
      }
    } catch (PageliftException e) {
      assertThat(e.category()).as(damage).isEqualTo(ErrorCategory.CORRUPT);
    }
  }

  private static void serve(String damage, MigrationReader migration, String name) {
    long[] pages = name.equals("web") ? new long[] {0x7f000, 0x7f001, 0x7f002, 0x7f003, 0x7f010, 0x7f011} : new long[] {10};
    long[] contents = name.equals("web") ? new long[] {1, 2, 0, 3, 4, 5} : new long[] {6};
    ByteBuffer page = ByteBuffer.allocateDirect(4096);
    for (int i = 0; i < pages.length; i++) {
      try {
        migration.readPages(Stores.OBJECT, pages[i], 1, page.clear());
        assertThat(page.flip().mismatch(PageContents.payload(contents[i]))).as("page %d with %s", i, damage).isEqualTo(-1);
      } catch (PageliftException e) {
        assertThat(e.category()).as(damage).isEqualTo(ErrorCategory.CORRUPT);
      }
    }
    byte[] tree = ("tree of " + name).getBytes(StandardCharsets.UTF_8);
    try {
      ByteBuffer image = ByteBuffer.allocate((int) migration.imageBytes("tree"));
      migration.readImage("tree", 0, image);
      assertThat(image.array()).as(damage).isEqualTo(tree);
    } catch (PageliftException e) {
      assertThat(e.category()).as(damage).isEqualTo(ErrorCategory.CORRUPT);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"STORE", "segments/00000001.index"})
  void everyFlippedBitThatTheRestContradictsIsRepaired(String name) throws IOException {
    Path file = store.resolve(name);
    byte[] good = Files.readAllBytes(file);
    for (int at = 0; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= (byte) (1 << at % 8);
      Files.write(file, bad);

      StoreRepair.Result result = StoreRepair.run(store);

      assertThat(result.repaired()).as("bit %d of byte %d", at % 8, at).singleElement().asString().contains(file.toString());
      assertThat(result.remaining()).isEmpty();
      assertThat(file).hasBinaryContent(good);
    }
  }

  @Test
  void aDamagedPageIsNotRepairedButNamed() throws IOException {
    damagePage(1);
    byte[] index = Files.readAllBytes(store.resolve("segments/00000001.index"));
    Arrays.fill(index, 48, 64, (byte) 0);
    Files.write(store.resolve("segments/00000001.index"), index);

    StoreRepair.Result result = StoreRepair.run(store);

    assertThat(result.repaired()).isEmpty();
    assertThat(result.remainingCount()).isEqualTo(2);
    assertThat(result.remaining()).anyMatch(sentence -> sentence.contains("page 1 of segment 1"));
  }

  @Test
  void withoutReadingPagesOnlyWhatDescribesThemIsVerified() throws IOException {
    damagePage(1);
    assertThat(StoreVerifier.verify(store, false).damageCount()).isZero();
    byte[] bad = Files.readAllBytes(store.resolve("segments/00000001.index"));
    bad[40] ^= 1;
    Files.write(store.resolve("segments/00000001.index"), bad);

    assertThat(StoreVerifier.verify(store, false).damages()).singleElement().asString().contains("the entry of page 1 is not whole");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"STORE", PAGES, "segments/00000001.index", MANIFEST, "migrations/web/00000002.tree.blob"})
  void everyMissingEndIsFound(String name) throws IOException {
    Path file = store.resolve(name);
    byte[] good = Files.readAllBytes(file);
    for (int length : new int[] {0, 1, good.length / 2, good.length - 1}) {
      Files.write(file, Arrays.copyOf(good, length));
      assertThat(findings()).as("%s cut to %d bytes", name, length).isNotEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"STORE", PAGES, "segments/00000001.index", "migrations/web/00000001.round", "migrations/web/00000002.tree.blob"})
  void everyMissingFileIsFound(String name) throws IOException {
    Files.delete(store.resolve(name));

    assertThat(findings()).isNotEmpty();
  }

  @Test
  void anExtraEndOfAManifestIsFound() throws IOException {
    Path file = store.resolve(MANIFEST);
    byte[] good = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(good, good.length + 1));

    assertThat(findings()).isNotEmpty();
  }

  @Test
  void aDamagedPageIsNamedWithEverythingThatRefersToIt() throws IOException {
    damagePage(1);

    StoreVerifier.Result result = StoreVerifier.verify(store);

    assertThat(result.damageCount()).isEqualTo(1);
    assertThat(result.damages())
        .singleElement()
        .asString()
        .contains("page 1 of segment 1")
        .contains("migration web")
        .contains("round 1")
        .contains("object 1")
        .contains("0x7f001000");
  }

  @Test
  void aDamagedPageIsNeverServed() throws IOException {
    damagePage(1);

    try (DirectoryPageStore open = Stores.open(store);
        MigrationReader web = open.readMigration("web")) {
      assertThatThrownBy(() -> web.readPages(Stores.OBJECT, 0x7f000, 4, ByteBuffer.allocateDirect(4 * 4096)))
          .isInstanceOfSatisfying(
              PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.CORRUPT))
          .hasMessageContaining("page 1 of segment 1");
      Stores.assertHeld(open, "web", 0x7f010, 4, 5);
    }
    try (StoreReader reader = StoreReader.open(store)) {
      assertThatThrownBy(() -> reader.checkPages(1, 0, 4)).isInstanceOf(PageliftException.class);
    }
  }

  @Test
  void aDamagedPageIsStoredAgainWhenItComesAgain() throws IOException {
    damagePage(1);

    try (DirectoryPageStore open = Stores.open(store)) {
      assertThat(Stores.commit(open, "again", 0, 1, 2).pagesStored()).isEqualTo(1);
      Stores.assertHeld(open, "again", 0, 1, 2);
    }
  }

  @Test
  void aDamagedManifestLeavesTheOtherMigrationsAndAllPagesAlone() throws IOException {
    Path manifest = store.resolve(MANIFEST);
    byte[] good = Files.readAllBytes(manifest);
    byte[] bad = good.clone();
    bad[40] ^= 1;
    Files.write(manifest, bad);

    try (DirectoryPageStore open = Stores.open(store)) {
      Stores.assertHeld(open, "mail", 10, 6);
      Stores.commit(open, "mail", 10, 77);
      Stores.assertHeld(open, "mail", 10, 77);
      assertThatThrownBy(() -> open.readMigration("web").held(Stores.OBJECT)).isInstanceOf(PageliftException.class);
    }
    Files.write(manifest, good);
    try (DirectoryPageStore open = Stores.open(store)) {
      Stores.assertHeld(open, "web", 0x7f010, 4, 5);
      Stores.assertHeld(open, "mail", 10, 77);
    }
    assertThat(findings()).isEmpty();
  }

  @Test
  void aForeignFileInTheDirectoryOfSegmentsIsLeftAlone() throws IOException {
    Path foreign = Files.writeString(store.resolve("segments/notes.txt"), "mine");

    Stores.open(store).close();

    assertThat(foreign).hasContent("mine");
  }

  @Test
  void aDirectoryWithOtherContentsIsRefused() throws IOException {
    Path other = Files.createDirectory(store.resolve("other"));
    Files.writeString(other.resolve("notes.txt"), "mine");

    assertThatThrownBy(() -> Stores.open(other))
        .isInstanceOfSatisfying(
            PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.REFUSED))
        .hasMessageContaining("not empty");
  }

  @ParameterizedTest
  @CsvSource({"/etc/passwd, USAGE", "/proc/nowhere, REFUSED", "/etc/passwd/store, USAGE"})
  void aPlaceWhereNoStoreCanBeIsRefusedInWords(String place, ErrorCategory category) {
    assertThatThrownBy(() -> Stores.open(Path.of(place)))
        .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(category))
        .hasMessageContaining(place)
        .hasMessageNotContaining("Exception");
  }

  private void damagePage(int page) throws IOException {
    byte[] bytes = Files.readAllBytes(store.resolve(PAGES));
    bytes[page * 4096 + 123] ^= 4;
    Files.write(store.resolve(PAGES), bytes);
  }

  private List<String> findings() {
    try {
      return StoreVerifier.verify(store).damages();
    } catch (PageliftException e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }
}
