package io.pagelift.pageserver.store;

import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.wire.proto.MigrationInfo;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code page-server ls} says of a store: its migrations, in a line each. Never page contents. */
public final class StoreListing {
  private final List<MigrationInfo> migrations = new ArrayList<>();
  private final List<String> damages = new ArrayList<>();

  private StoreListing() {}

  /** Reads the heads of all manifests. Throws a refused error when the directory is no store. */
  public static StoreListing of(Path directory) {
    StoreListing listing = new StoreListing();
    try (StoreReader reader = StoreReader.open(directory)) {
      for (String name : reader.migrationNames()) {
        try {
          listing.migrations.add(info(reader.migration(name)));
        } catch (PageliftException e) {
          listing.damages.add("Migration " + name + " is not listed: " + e.getMessage());
        }
      }
    }
    return listing;
  }

  /** The sum of a migration's rounds. */
  static MigrationInfo info(StoredMigration migration) {
    MigrationInfo.Builder info =
        MigrationInfo.newBuilder()
            .setName(migration.name())
            .setRounds(migration.lastRound())
            .setComplete(migration.complete());
    migration
        .rounds()
        .forEach(
            round -> {
              RoundHeader header = round.header();
              info.setPages(info.getPages() + RoundCounts.pagesHeld(header.getCounts()));
              info.setStoredBytes(info.getStoredBytes() + header.getCounts().getBytesStored());
              info.setLastCommitUnixNanos(header.getCommittedUnixNanos());
            });
    return info.build();
  }

  /** One sentence for each migration that cannot be read. */
  public List<String> damages() {
    return List.copyOf(damages);
  }

  /** For people. */
  public String table() {
    TextTable table = new TextTable("NAME", "ROUNDS", "COMPLETE", "PAGES", "STORED_BYTES", "LAST_COMMIT");
    for (MigrationInfo info : migrations) {
      table.row(
          info.getName(),
          info.getRounds(),
          info.getComplete() ? "yes" : "no",
          info.getPages(),
          info.getStoredBytes(),
          info.getRounds() == 0 ? "-" : time(info.getLastCommitUnixNanos()));
    }
    return table.toString();
  }

  /** For programs. */
  public String json() {
    List<Map<String, Object>> list = new ArrayList<>();
    for (MigrationInfo info : migrations) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", info.getName());
      entry.put("rounds", info.getRounds());
      entry.put("complete", info.getComplete());
      entry.put("pages", info.getPages());
      entry.put("stored_bytes", info.getStoredBytes());
      entry.put("last_commit_unix_nanos", info.getLastCommitUnixNanos());
      list.add(entry);
    }
    return Json.text(Map.of("migrations", list));
  }

  /** A time in UTC, to the second. */
  static String time(long unixNanos) {
    return Instant.ofEpochSecond(0, unixNanos).truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
