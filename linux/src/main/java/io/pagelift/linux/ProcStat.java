package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * {@code /proc/PID/stat}, see {@code proc_pid_stat(5)}.
 *
 * @param pid field 1
 * @param command field 2, the thread's name of at most 15 bytes, without its parentheses
 * @param state field 3
 * @param numbers fields 4 and on; unsigned values above 2^63 are negative here
 */
public record ProcStat(int pid, String command, char state, List<Long> numbers) {
  private static final int FIRST_NUMBER_FIELD = 4;

  /** Keeps its own copy. */
  public ProcStat {
    numbers = List.copyOf(numbers);
  }

  /** The raw text of a process. */
  public static byte[] readRaw(int pid) {
    return ProcFile.read("/proc/" + pid + "/stat");
  }

  /** Reads a process's line. */
  public static ProcStat read(int pid) {
    return parse(readRaw(pid));
  }

  /** Reads one thread's line. */
  public static ProcStat read(int pid, int tid) {
    return parse(ProcFile.read("/proc/" + pid + "/task/" + tid + "/stat"));
  }

  /** Parses the line. The name may hold anything, parentheses, blanks and line feeds too: it ends at the last parenthesis. */
  public static ProcStat parse(byte[] raw) {
    String text = FileNames.decode(raw);
    int open = text.indexOf('(');
    int close = text.lastIndexOf(')');
    if (open < 0 || close < open + 1 || close + 2 >= text.length()) {
      throw new IllegalArgumentException("not a stat line");
    }
    List<Long> numbers = new ArrayList<>();
    for (String word : text.substring(close + 3).trim().split(" +", -1)) {
      numbers.add(word.startsWith("-") ? Long.parseLong(word) : Long.parseUnsignedLong(word));
    }
    int pid = Integer.parseInt(text.substring(0, open).trim());
    return new ProcStat(pid, text.substring(open + 1, close), text.charAt(close + 2), numbers);
  }

  /** A field by its number in the man page, 4 and up; 0 if this kernel is too old to have it. */
  public long field(int number) {
    int index = number - FIRST_NUMBER_FIELD;
    return index < numbers.size() ? numbers.get(index) : 0;
  }

  /** Field 4. */
  public int parentPid() {
    return (int) field(4);
  }

  /** Field 5. */
  public int processGroup() {
    return (int) field(5);
  }

  /** Field 6. */
  public int session() {
    return (int) field(6);
  }

  /** Field 7: the controlling terminal's device number, 0 for none. */
  public int terminal() {
    return (int) field(7);
  }

  /** Field 8: the terminal's foreground process group. */
  public int terminalForegroundGroup() {
    return (int) field(8);
  }

  /** Field 9: the kernel's PF_ flags. */
  public long flags() {
    return field(9);
  }

  /** Field 19: -20 to 19. */
  public int nice() {
    return (int) field(19);
  }

  /** Field 20. */
  public int threadCount() {
    return (int) field(20);
  }

  /** Field 22: when the process started, in ticks after boot. With the pid it names one process for ever. */
  public long startTimeTicks() {
    return field(22);
  }

  /** Field 26. This and the other addresses read as 0 or 1 without the right to ptrace. */
  public long startCode() {
    return field(26);
  }

  /** Field 27. */
  public long endCode() {
    return field(27);
  }

  /** Field 28. */
  public long startStack() {
    return field(28);
  }

  /** Field 38: the signal that the parent gets at the end. */
  public int exitSignal() {
    return (int) field(38);
  }

  /** Field 45. */
  public long startData() {
    return field(45);
  }

  /** Field 46. */
  public long endData() {
    return field(46);
  }

  /** Field 47: where the heap starts. Its end is not here: inject brk(0). */
  public long startBrk() {
    return field(47);
  }

  /** Field 48. */
  public long argStart() {
    return field(48);
  }

  /** Field 49. */
  public long argEnd() {
    return field(49);
  }

  /** Field 50. */
  public long envStart() {
    return field(50);
  }

  /** Field 51. */
  public long envEnd() {
    return field(51);
  }

  /** Field 52: the status that wait(2) would give; of use for a zombie. */
  public int exitCode() {
    return (int) field(52);
  }
}
