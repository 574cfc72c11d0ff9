package io.pagelift.dumper.facts;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The text of {@code /proc/PID/fdinfo/FD}, proc(5): lines of {@code name:<tab>value}, some of which may come several times.
 *
 * @param lines each line as {name, value}
 */
public record FdInfo(List<Line> lines) {
  /** One line. */
  public record Line(String name, String value) {}

  /** Cuts the text into lines; a line without a colon is kept with an empty value. */
  public static FdInfo parse(String text) {
    List<Line> lines = new ArrayList<>();
    for (String line : text.lines().toList()) {
      int colon = line.indexOf(':');
      if (colon < 0) {
        lines.add(new Line(line.strip(), ""));
      } else {
        lines.add(new Line(line.substring(0, colon).strip(), line.substring(colon + 1).strip()));
      }
    }
    return new FdInfo(lines);
  }

  /** The first line of that name, or {@code null}. */
  public @Nullable String value(String name) {
    for (Line line : lines) {
      if (line.name().equals(name)) {
        return line.value();
      }
    }
    return null;
  }

  /** A number in the given base; {@code absent} when there is no such line. */
  public long number(String name, int base, long absent) {
    String value = value(name);
    return value == null || value.isEmpty() ? absent : Long.parseUnsignedLong(value, base);
  }

  /** The file position. */
  public long position() {
    return number("pos", 10, 0);
  }

  /** Access mode, status flags and {@code O_CLOEXEC} of this descriptor. */
  public int flags() {
    return (int) number("flags", 8, 0);
  }
}
