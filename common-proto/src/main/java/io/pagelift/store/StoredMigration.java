package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.proto.Blob;
import io.pagelift.store.proto.RoundHeader;
import io.pagelift.wire.proto.ObjectInfo;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The committed rounds of one migration as they were when it was read. Immutable. */
public final class StoredMigration {
  /** Bound of the runs of one object's merged view, see {@link PlaceRunsBuilder}: 20 MiB, twice that while merging. */
  public static final int MAX_VIEW_RUNS = 1 << 20;

  private final StoreLayout layout;
  private final String name;
  private final List<RoundManifest> rounds;

  /** The rounds whose runs count: from the last whole one on. */
  private final List<RoundManifest> counting;

  private StoredMigration(StoreLayout layout, String name, List<RoundManifest> rounds) {
    this.layout = layout;
    this.name = name;
    this.rounds = List.copyOf(rounds);
    int from = 0;
    for (int i = 0; i < rounds.size(); i++) {
      from = rounds.get(i).header().getWhole() ? i : from;
    }
    this.counting = this.rounds.subList(from, this.rounds.size());
  }

  /** Reads the headers of all rounds. Throws a corrupt error when a round is missing or damaged. */
  static StoredMigration read(StoreLayout layout, String name) {
    TreeSet<Integer> numbers = new TreeSet<>();
    Path directory = layout.migrationDirectory(name);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        OptionalInt round = StoreLayout.manifestRound(file);
        if (round.isPresent()) {
          numbers.add(round.getAsInt());
        }
      }
    } catch (IOException e) {
      throw StoreErrors.unreadable(directory, e);
    }
    List<RoundManifest> rounds = new ArrayList<>();
    for (int number : numbers) {
      if (number != rounds.size() + 1) {
        throw StoreErrors.corrupt(layout.manifestFile(name, rounds.size() + 1), "it is missing, a later round is there");
      }
      rounds.add(RoundManifest.open(layout.manifestFile(name, number), name, number));
    }
    return new StoredMigration(layout, name, rounds);
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** All committed rounds; round r is at index r - 1. */
  public List<RoundManifest> rounds() {
    return rounds;
  }

  /** The highest committed round, 0 when none. */
  public int lastRound() {
    return rounds.size();
  }

  /** The header of the last committed round; empty when none. */
  public Optional<RoundHeader> lastHeader() {
    return rounds.isEmpty() ? Optional.empty() : Optional.of(rounds.get(rounds.size() - 1).header());
  }

  /** Whether the last committed round carries the image of the tree: only then can it be restored. */
  public boolean complete() {
    return lastHeader().map(RoundHeader::getComplete).orElse(false);
  }

  /** The tracking token of the last committed round, empty when none. */
  public String trackingToken() {
    return lastHeader().map(RoundHeader::getTrackingToken).orElse("");
  }

  /** The objects alive at the end of the last committed round. */
  public List<ObjectInfo> objects() {
    return lastHeader().map(RoundHeader::getObjectsList).orElse(List.of());
  }

  /** Object ids below this one are taken. */
  public long nextObjectId() {
    return lastHeader().map(RoundHeader::getNextObjectId).orElse(1L);
  }

  /** What is held of one object, merged over all rounds. Reads all manifests. */
  public PlaceRuns places(long objectId) {
    return places(objectId, MAX_VIEW_RUNS);
  }

  /** The same with a bound of one's own, see {@link PlaceRunsBuilder}. */
  public PlaceRuns places(long objectId, int maxRuns) {
    PlaceRunsBuilder builder = new PlaceRunsBuilder(maxRuns);
    for (RoundManifest round : counting) {
      round.forEachRun(
          (object, firstPage, pageCount, place) -> {
            if (object == objectId) {
              builder.add(firstPage, pageCount, place);
            }
          });
    }
    return builder.build();
  }

  /**
   * Throws an exhausted error when a further round would give an object a merged view of too many runs.
   *
   * @param added the round that is about to be committed
   * @param maxRuns bound of a view, see {@link PlaceRunsBuilder}
   */
  public void checkViews(RoundManifest added, int maxRuns) {
    if (Stream.concat(counting.stream(), Stream.of(added)).mapToLong(RoundManifest::runCount).sum() <= maxRuns) {
      return;
    }
    List<RoundManifest> all = new ArrayList<>(counting);
    all.add(added);
    Map<Long, Long> runsByObject = new HashMap<>();
    for (RoundManifest round : all) {
      round.forEachRun((object, firstPage, pageCount, place) -> runsByObject.merge(object, 1L, Long::sum));
    }
    runsByObject.forEach(
        (object, runs) -> {
          if (runs > maxRuns) {
            new StoredMigration(layout, name, all).places(object, maxRuns);
          }
        });
  }

  /** What is held of every object that any round names, by object id, in one pass over the manifests. */
  public Map<Long, PlaceRuns> places() {
    Map<Long, PlaceRunsBuilder> builders = new HashMap<>();
    for (RoundManifest round : counting) {
      round.forEachRun(
          (object, firstPage, pageCount, place) ->
              builders
                  .computeIfAbsent(object, id -> new PlaceRunsBuilder(MAX_VIEW_RUNS))
                  .add(firstPage, pageCount, place));
    }
    Map<Long, PlaceRuns> places = new HashMap<>();
    builders.forEach((object, builder) -> places.put(object, builder.build()));
    return places;
  }

  /**
   * A blob of the last round ("tree"), read whole and checked. Throws a refused error when the last round has no such blob, a
   * corrupt one when it is damaged.
   */
  public byte[] readBlob(String blob) {
    return blobFile(blob).read();
  }

  /** A blob of the last round, to be read in parts. Throws as {@link #readBlob} does, but reads nothing yet. */
  public BlobFile blobFile(String blob) {
    return blobFile(lastRound(), blob);
  }

  /** The same of any committed round, 1 to {@link #lastRound}. */
  public BlobFile blobFile(int round, String blob) {
    List<Blob> blobs = rounds.isEmpty() ? List.of() : rounds.get(round - 1).header().getBlobsList();
    for (Blob candidate : blobs) {
      if (candidate.getName().equals(blob) && StoreLayout.isBlobName(blob)) {
        return new BlobFile(layout.blobFile(name, round, blob), candidate);
      }
    }
    throw noBlob(blob);
  }

  private PageliftException noBlob(String blob) {
    return new PageliftException(
        ErrorCategory.REFUSED,
        "Round " + lastRound() + " of migration '" + name + "' carries no '" + blob
            + "'; it is not finished: run 'dumper dump' before the restore.");
  }
}
