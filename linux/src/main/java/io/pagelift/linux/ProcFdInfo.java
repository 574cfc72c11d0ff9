package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * {@code /proc/PID/fdinfo/N}: what the kernel tells about an open file. Every kind of file adds its own lines.
 *
 * @param lines all lines
 */
public record ProcFdInfo(List<String> lines) {
  /** Keeps its own copy. */
  public ProcFdInfo {
    lines = List.copyOf(lines);
  }

  /** The numbers of a process's open descriptors, ascending. */
  public static List<Integer> openDescriptors(int pid) {
    return ProcFile.numbers("/proc/" + pid + "/fd");
  }

  /** Where {@code /proc/PID/fd/N} points: a path, or text such as {@code pipe:[1234]}. */
  public static String target(int pid, int number) {
    return FileDescriptor.readLink("/proc/" + pid + "/fd/" + number);
  }

  /** The very file behind a descriptor. */
  public static Stat stat(int pid, int number) {
    return Stat.of("/proc/" + pid + "/fd/" + number);
  }

  /** Reads what is told about one descriptor. */
  public static ProcFdInfo read(int pid, int number) {
    return parse(ProcFile.read("/proc/" + pid + "/fdinfo/" + number));
  }

  /** Parses the text. */
  public static ProcFdInfo parse(byte[] raw) {
    return new ProcFdInfo(ProcFile.lines(raw));
  }

  /** Whether there is a line with this key. */
  public boolean has(String key) {
    return lines.stream().anyMatch(line -> isOf(line, key));
  }

  /** The first value of a key, without the blanks around it; throws if the key is not there. */
  public String value(String key) {
    for (String line : lines) {
      if (isOf(line, key)) {
        return line.substring(key.length() + 1).trim();
      }
    }
    throw new IllegalArgumentException("fdinfo has no " + key);
  }

  /** All values of a key that comes once for each of something, such as {@code tfd} or {@code lock}. */
  public List<String> values(String key) {
    List<String> values = new ArrayList<>();
    for (String line : lines) {
      if (isOf(line, key)) {
        values.add(line.substring(key.length() + 1).trim());
      }
    }
    return values;
  }

  private static boolean isOf(String line, String key) {
    return line.length() > key.length() && line.charAt(key.length()) == ':' && line.startsWith(key);
  }

  /** The offset in bytes. */
  public long positionBytes() {
    return Long.parseLong(value("pos"));
  }

  /** Access mode and status flags; O_CLOEXEC here is the descriptor's own flag. */
  public int flags() {
    return Integer.parseInt(value("flags"), 8);
  }

  /** Whether the descriptor is close-on-exec. */
  public boolean closeOnExec() {
    return (flags() & Constants.O_CLOEXEC) != 0;
  }

  /** The id of the mount that the file was opened through. */
  public int mountId() {
    return Integer.parseInt(value("mnt_id"));
  }
}
