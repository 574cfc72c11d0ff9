package io.pagelift.tests.harness;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One round as {@code --stats} tells it. Times in microseconds, pages of 4096 bytes; shared memory is counted in.
 *
 * @param frozenMicros how long the tree, or a part of it, stood still
 * @param sentPages pages that went over the wire with their contents
 */
public record RoundFigures(
    int round,
    boolean complete,
    String tracker,
    long frozenMicros,
    long roundMicros,
    long mappings,
    long scannedPages,
    long sentPages,
    long skippedPages,
    long zeroPages,
    long deduplicatedPages,
    long sentBytes) {

  /** The rounds of one command, in order. */
  public static List<RoundFigures> read(Path statsFile) {
    try {
      List<RoundFigures> rounds = new ArrayList<>();
      for (JsonElement round : JsonParser.parseString(Files.readString(statsFile)).getAsJsonObject().getAsJsonArray("rounds")) {
        rounds.add(of(round.getAsJsonObject()));
      }
      return rounds;
    } catch (IOException e) {
      throw new UncheckedIOException("No statistics in " + statsFile, e);
    }
  }

  private static RoundFigures of(JsonObject json) {
    return new RoundFigures(
        json.get("round").getAsInt(),
        json.get("complete").getAsBoolean(),
        json.get("tracker").getAsString(),
        number(json, "frozen_time"),
        number(json, "round_time"),
        number(json, "mappings"),
        number(json, "pages_scanned") + number(json, "shpages_scanned"),
        number(json, "pages_written") + number(json, "shpages_written"),
        number(json, "pages_skipped_parent") + number(json, "shpages_skipped_parent"),
        number(json, "pages_zero"),
        number(json, "pages_deduplicated_round") + number(json, "pages_deduplicated_earlier"),
        number(json, "bytes_sent"));
  }

  private static long number(JsonObject json, String name) {
    return json.get(name).getAsLong();
  }
}
