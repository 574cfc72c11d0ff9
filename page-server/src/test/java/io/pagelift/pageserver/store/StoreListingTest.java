package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageliftException;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreListingTest {
  @TempDir Path store;

  @BeforeEach
  void writeTwoMigrations() {
    ObjectInfo object = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).setPid(77).build();
    try (DirectoryPageStore open = Stores.open(store)) {
      Stores.commitComplete(open, "web", 0, 1, 1, 2, 0);
      try (MigrationLog mail = open.openMigration("mail", true)) {
        RoundInProgress round = mail.beginRound(1, "uffd\u001b[2J\"", "token", 1);
        round.append(1, List.of(PageRun.data(0, 2), PageRun.drop(8, 3)), PageContents.payload(1, 5));
        round.commit(List.of(object), false);
      }
    }
  }

  @Test
  void lsListsMigrationsInOrder() {
    StoreListing listing = StoreListing.of(store);

    assertThat(listing.table().lines().map(line -> line.replaceAll(" +", " ")))
        .hasSize(3)
        .satisfies(lines -> assertThat(lines.get(1)).startsWith("mail 1 no 2 4096 20"))
        .satisfies(lines -> assertThat(lines.get(2)).startsWith("web 1 yes 4 8192 20"));
    assertThat(listing.json()).contains("\"name\": \"mail\"", "\"stored_bytes\": 8192");
  }

  @Test
  void showTellsRoundsAndObjects() {
    MigrationListing listing = MigrationListing.of(store, "mail");

    assertThat(listing.table().lines().map(line -> line.strip().replaceAll(" +", " ")))
        .anySatisfy(line -> assertThat(line).startsWith("1 uffd?[2J\" 1 0 0 0 1 0 3 3 - full 20"))
        .contains("1 address-space 77 2 2");
    assertThat(listing.json()).contains("\"pages_dropped\": 3", "\"kind\": \"address-space\"", "uffd\\u001b[2J\\\"");
  }

  @Test
  void aDamagedMigrationDoesNotHideTheOthers() throws IOException {
    Files.write(store.resolve("migrations/mail/00000001.round"), new byte[10]);

    StoreListing listing = StoreListing.of(store);

    assertThat(listing.table()).contains("web").doesNotContain("mail");
    assertThat(listing.damages()).singleElement().asString().contains("mail").contains("00000001.round");
  }

  @Test
  void whatIsNoStoreIsRefusedInOneSentence() throws IOException {
    Path empty = Files.createDirectory(store.resolve("empty"));

    assertThatThrownBy(() -> StoreListing.of(empty))
        .isInstanceOfSatisfying(
            PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.USAGE))
        .hasMessageContaining("is not a page store");
    assertThatThrownBy(() -> StoreListing.of(store.resolve("STORE"))).hasMessageContaining("STORE is not a directory");
    assertThatThrownBy(() -> MigrationListing.of(store, "nobody"))
        .isInstanceOfSatisfying(PageliftException.class, e -> assertThat(e.category()).isEqualTo(ErrorCategory.USAGE));
  }
}
