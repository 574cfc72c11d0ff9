package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/** {@code /proc/PID/limits}, which is readable without the right to ptrace. With that right {@link ResourceLimit} is simpler. */
public final class ProcLimits {
  private ProcLimits() {}

  /** The file's fixed columns, from the kernel's own format string: 25, 20 and 20 characters with a blank behind each. */
  private static final int SOFT_COLUMN = 26;

  private static final int HARD_COLUMN = 47;
  private static final int UNITS_COLUMN = 68;

  /**
   * One line.
   *
   * @param name such as {@code "Max open files"}
   */
  public record Line(String name, ResourceLimit limit) {}

  /** Reads a process's limits; the n-th is resource n. */
  public static List<Line> read(int pid) {
    return parse(ProcFile.read("/proc/" + pid + "/limits"));
  }

  /** Parses the text. */
  public static List<Line> parse(byte[] raw) {
    List<Line> limits = new ArrayList<>();
    List<String> lines = ProcFile.lines(raw);
    for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
      int end = Math.min(line.length(), UNITS_COLUMN);
      long soft = value(line.substring(SOFT_COLUMN, HARD_COLUMN));
      long hard = value(line.substring(HARD_COLUMN, end));
      limits.add(new Line(line.substring(0, SOFT_COLUMN).trim(), new ResourceLimit(soft, hard)));
    }
    return limits;
  }

  private static long value(String column) {
    String text = column.trim();
    return text.equals("unlimited") ? ResourceLimit.UNLIMITED : Long.parseUnsignedLong(text);
  }
}
