package io.pagelift.pageserver.store;

import io.pagelift.store.PlaceRuns;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreReader;
import io.pagelift.store.StoredMigration;
import io.pagelift.store.proto.Blob;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.wire.proto.ObjectInfo;
import io.pagelift.wire.proto.RoundCommitted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code page-server show NAME} says of a migration: its rounds, and the objects alive at its end. Never page contents. */
public final class MigrationListing {
  private record HeldObject(ObjectInfo object, long pages, int runs) {}

  private final StoredMigration migration;
  private final List<HeldObject> objects = new ArrayList<>();

  private MigrationListing(StoredMigration migration) {
    this.migration = migration;
    for (ObjectInfo object : migration.objects()) {
      PlaceRuns places = migration.places(object.getId());
      objects.add(new HeldObject(object, places.totalPages(), places.size()));
    }
  }

  /** Reads the manifests of a migration. Throws a usage error when there is none of this name, a corrupt one for damage. */
  public static MigrationListing of(Path directory, String name) {
    try (StoreReader reader = StoreReader.open(directory)) {
      return new MigrationListing(reader.migration(name));
    }
  }

  /** For people. */
  public String table() {
    TextTable rounds =
        new TextTable(
            "ROUND", "TRACKER", "STORED", "SAME_ROUND", "EARLIER_ROUND", "OTHER_PROCESS", "OTHER_MIGRATION", "ZERO", "DROPPED", "RUNS",
            "IMAGE_BYTES", "DURABILITY", "COMMITTED");
    for (RoundManifest round : migration.rounds()) {
      RoundHeader header = round.header();
      RoundCommitted counts = header.getCounts();
      rounds.row(
          header.getRound(),
          header.getTracker(),
          counts.getPagesStored(),
          counts.getPagesDeduplicatedRound(),
          counts.getPagesDeduplicatedEarlier(),
          counts.getPagesDeduplicatedProcess(),
          counts.getPagesDeduplicatedMigration(),
          counts.getPagesZero(),
          counts.getPagesDropped(),
          round.runCount(),
          header.getComplete() ? header.getBlobsList().stream().mapToLong(Blob::getLengthBytes).sum() : "-",
          durability(counts),
          StoreListing.time(header.getCommittedUnixNanos()));
    }
    TextTable held = new TextTable("OBJECT", "KIND", "PID", "HELD_PAGES", "RUNS");
    for (HeldObject object : objects) {
      held.row(
          object.object.getId(), kind(object.object), object.object.getPid() == 0 ? "-" : object.object.getPid(), object.pages,
          object.runs);
    }
    return rounds + "\n" + held;
  }

  /** For programs. */
  public String json() {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("name", migration.name());
    root.put("complete", migration.complete());
    root.put("tracking_token", migration.trackingToken());
    root.put("rounds", migration.rounds().stream().map(MigrationListing::json).toList());
    root.put("objects", objects.stream().map(MigrationListing::json).toList());
    return Json.text(root);
  }

  private static Map<String, Object> json(RoundManifest round) {
    RoundHeader header = round.header();
    RoundCommitted counts = header.getCounts();
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("round", header.getRound());
    map.put("tracker", header.getTracker());
    map.put("started_unix_nanos", header.getStartedUnixNanos());
    map.put("committed_unix_nanos", header.getCommittedUnixNanos());
    map.put("complete", header.getComplete());
    map.put("pages_stored", counts.getPagesStored());
    map.put("pages_deduplicated_round", counts.getPagesDeduplicatedRound());
    map.put("pages_deduplicated_earlier", counts.getPagesDeduplicatedEarlier());
    map.put("pages_deduplicated_process", counts.getPagesDeduplicatedProcess());
    map.put("pages_deduplicated_migration", counts.getPagesDeduplicatedMigration());
    map.put("pages_zero", counts.getPagesZero());
    map.put("pages_dropped", counts.getPagesDropped());
    map.put("bytes_stored", counts.getBytesStored());
    map.put("durability", durability(counts));
    map.put("runs", round.runCount());
    Map<String, Object> blobs = new LinkedHashMap<>();
    header.getBlobsList().forEach(blob -> blobs.put(blob.getName(), blob.getLengthBytes()));
    map.put("blob_bytes", blobs);
    return map;
  }

  private static Map<String, Object> json(HeldObject held) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", held.object.getId());
    map.put("kind", kind(held.object));
    map.put("pid", held.object.getPid());
    map.put("held_pages", held.pages);
    map.put("runs", held.runs);
    return map;
  }

  private static String durability(RoundCommitted counts) {
    return counts.getDurability().name().toLowerCase(Locale.ROOT);
  }

  private static String kind(ObjectInfo object) {
    return object.getKind().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
