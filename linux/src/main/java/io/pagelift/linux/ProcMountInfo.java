package io.pagelift.linux;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** {@code /proc/PID/mountinfo}: the mounts that a process sees, see proc_pid_mountinfo(5). */
public final class ProcMountInfo {
  private static final int FIRST_OPTIONAL_FIELD = 6;

  private ProcMountInfo() {}

  /**
   * One mount.
   *
   * @param id as in {@link ProcFdInfo#mountId()} and {@link Stat#mountId()}
   * @param root the directory of the file system that is mounted here
   * @param mountPoint where, relative to the process's root
   * @param options of the mount, such as {@code "rw,noatime"}
   * @param type of the file system, such as {@code "tmpfs"}
   * @param source what is mounted, as the file system says
   * @param superOptions of the file system
   */
  public record Mount(
      int id,
      int parentId,
      int devMajor,
      int devMinor,
      String root,
      String mountPoint,
      String options,
      String type,
      String source,
      String superOptions) {}

  /** Reads the mounts of a process. */
  public static List<Mount> read(int pid) {
    return parse(ProcFile.read("/proc/" + pid + "/mountinfo"));
  }

  /** Parses the text. */
  public static List<Mount> parse(byte[] raw) {
    List<Mount> mounts = new ArrayList<>();
    for (String line : ProcFile.lines(raw)) {
      mounts.add(mount(line.split(" ", -1)));
    }
    return mounts;
  }

  private static Mount mount(String[] words) {
    int separator = FIRST_OPTIONAL_FIELD;
    while (!words[separator].equals("-")) {
      separator++;
    }
    String device = words[2];
    int colon = device.indexOf(':');
    return new Mount(
        Integer.parseInt(words[0]),
        Integer.parseInt(words[1]),
        Integer.parseInt(device.substring(0, colon)),
        Integer.parseInt(device.substring(colon + 1)),
        unescape(words[3]),
        unescape(words[4]),
        words[5],
        words[separator + 1],
        unescape(words[separator + 2]),
        words[separator + 3]);
  }

  /** Blank, tab, line feed and backslash are three octal digits behind a backslash here. */
  private static String unescape(String word) {
    if (word.indexOf('\\') < 0) {
      return word;
    }
    byte[] escaped = FileNames.encode(word);
    ByteArrayOutputStream plain = new ByteArrayOutputStream(escaped.length);
    for (int i = 0; i < escaped.length; i++) {
      if (escaped[i] == '\\' && i + 3 < escaped.length) {
        plain.write((escaped[i + 1] - '0') << 6 | (escaped[i + 2] - '0') << 3 | (escaped[i + 3] - '0'));
        i += 3;
      } else {
        plain.write(escaped[i]);
      }
    }
    return FileNames.decode(plain.toByteArray());
  }
}
