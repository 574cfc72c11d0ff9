package io.pagelift.pageserver.store;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of the space of pages that nobody can ask for any more.
 *
 * @param segmentsBefore segments that there were
 * @param segmentsDropped segments whose space was given back
 * @param pagesMoved living pages that were stored again for that
 * @param bytesFreed bytes of pages and index entries given back, those of moved pages subtracted
 * @param inUse migrations that were open, and for whose sake segments were left alone
 */
public record Reclaimed(int segmentsBefore, int segmentsDropped, long pagesMoved, long bytesFreed, List<String> inUse) {
  private static final String IN_USE = "in_use";

  /** For {@link StoreControl}: a line for each figure. */
  String toText() {
    StringBuilder text = new StringBuilder();
    figures().forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    inUse.forEach(name -> text.append(IN_USE).append(' ').append(name).append('\n'));
    return text.toString();
  }

  private Map<String, Long> figures() {
    Map<String, Long> figures = new LinkedHashMap<>();
    figures.put("segments_before", (long) segmentsBefore);
    figures.put("segments_dropped", (long) segmentsDropped);
    figures.put("pages_moved", pagesMoved);
    figures.put("bytes_freed", bytesFreed);
    return figures;
  }

  static Reclaimed fromText(String text) {
    Map<String, Long> figures = new HashMap<>();
    List<String> inUse = new ArrayList<>();
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ", 2);
      if (words.length == 2 && words[0].equals(IN_USE)) {
        inUse.add(words[1]);
      } else if (words.length == 2 && words[1].matches("-?[0-9]{1,18}")) {
        figures.put(words[0], Long.valueOf(words[1]));
      }
    }
    return new Reclaimed(
        figures.getOrDefault("segments_before", 0L).intValue(),
        figures.getOrDefault("segments_dropped", 0L).intValue(),
        figures.getOrDefault("pages_moved", 0L),
        figures.getOrDefault("bytes_freed", 0L),
        inUse);
  }

  /** For people. */
  public String sentence() {
    return segmentsDropped + " of " + segmentsBefore + " segments given back, " + pagesMoved + " living pages moved for that: "
        + bytesFreed + " bytes free"
        + (inUse.isEmpty() ? "" : "; left alone because they are open: " + String.join(", ", inUse)) + "\n";
  }

  /** For programs. */
  public String json() {
    Map<String, Object> map = new LinkedHashMap<>(figures());
    map.put(IN_USE, inUse);
    return Json.text(map);
  }
}
