package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the victim {@code counter} wrote: one line per tick of a millisecond, a count and CLOCK_REALTIME.
 *
 * @param lineCount lines, so also the last count when nothing is amiss
 * @param breaks each place where the count does not go on by one, as a sentence; empty when none
 * @param longestGapNanos longest time between two lines
 * @param longestGapAtNanos CLOCK_REALTIME of the line before the longest gap
 */
public record CountLog(long lineCount, List<String> breaks, long longestGapNanos, long longestGapAtNanos) {

  /** Reads the log of the counter in this work directory. The last line may be half written while it runs: it is left out. */
  public static CountLog read(Path victimDirectory) {
    return read(victimDirectory, 0, Long.MAX_VALUE);
  }

  /** As {@link #read(Path)}, with the gaps only between these two times. */
  public static CountLog read(Path victimDirectory, long fromUnixNanos, long toUnixNanos) {
    String text;
    try {
      text = Files.readString(victimDirectory.resolve("log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> breaks = new ArrayList<>();
    long expected = 1;
    long lines = 0;
    long before = 0;
    long longest = 0;
    long longestAt = 0;
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
      lines++;
      int space = line.indexOf(' ');
      long count = Long.parseLong(line.substring(0, space));
      long nanos = Long.parseLong(line.substring(space + 1));
      if (count != expected) {
        breaks.add("line " + lines + " counts " + count + ", not " + expected);
      }
      if (before >= fromUnixNanos && nanos <= toUnixNanos && before != 0 && nanos - before > longest) {
        longest = nanos - before;
        longestAt = before;
      }
      expected = count + 1;
      before = nanos;
    }
    return new CountLog(lines, List.copyOf(breaks), longest, longestAt);
  }

  /** How many ticks the victim did in each second between these two times. */
  public static double ticksPerSecond(Path victimDirectory, long fromUnixNanos, long toUnixNanos) {
    try (Stream<String> lines = Files.lines(victimDirectory.resolve("log"))) {
      // A half written last line is no tick yet.
      long ticks =
          lines
              .filter(line -> line.matches("\\d+ \\d{19}"))
              .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(' ') + 1)))
              .filter(nanos -> nanos >= fromUnixNanos && nanos <= toUnixNanos)
              .count();
      return ticks * 1e9 / (toUnixNanos - fromUnixNanos);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
