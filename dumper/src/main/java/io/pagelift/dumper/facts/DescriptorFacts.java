package io.pagelift.dumper.facts;

import io.pagelift.linux.Constants;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One file descriptor as seen from outside.
 *
 * @param pid the process
 * @param fd the number
 * @param link what {@code /proc/PID/fd/FD} reads as: a path, or a name like {@code pipe:[123]}
 * @param stat the status of the open file
 * @param info its {@code fdinfo}
 */
public record DescriptorFacts(int pid, int fd, String link, FileStat stat, FdInfo info) {
  /** What the kernel appends to the path of a file whose name is gone. */
  public static final String DELETED = " (deleted)";

  /** All descriptors of a process, ascending; those that close while they are read are left out. */
  public static List<DescriptorFacts> readAll(RawReader reader, int pid) {
    List<DescriptorFacts> all = new ArrayList<>();
    for (int fd : reader.numbers("/proc/" + pid + "/fd")) {
      DescriptorFacts facts = read(reader, pid, fd);
      if (facts != null) {
        all.add(facts);
      }
    }
    return all;
  }

  private static @Nullable DescriptorFacts read(RawReader reader, int pid, int fd) {
    String place = "/proc/" + pid + "/fd/" + fd;
    String link = reader.link(place);
    FileStat stat = link == null ? null : reader.stat(place);
    byte[] info = stat == null ? null : reader.file("/proc/" + pid + "/fdinfo/" + fd);
    if (link == null || stat == null || info == null) {
      return null;
    }
    return new DescriptorFacts(
        pid, fd, link, stat, FdInfo.parse(new String(info, StandardCharsets.UTF_8)));
  }

  /** Where the open file is found from outside: {@code /proc/PID/fd/FD}. */
  public String place() {
    return "/proc/" + pid + "/fd/" + fd;
  }

  /** Access mode and status flags without {@code O_CLOEXEC}, which belongs to the descriptor. */
  public int statusFlags() {
    return info.flags() & ~Constants.O_CLOEXEC;
  }

  /** Whether the descriptor closes on exec. */
  public boolean closeOnExec() {
    return (info.flags() & Constants.O_CLOEXEC) != 0;
  }

  /** The path for the image: of a file without a name, the one that it had. */
  public String path(int ghostId) {
    return ghostId != 0 && link.endsWith(DELETED) ? link.substring(0, link.length() - DELETED.length()) : link;
  }

  /** How messages name it: {@code fd 7 (/tmp/x)}. */
  public String object() {
    return "fd " + fd + " (" + link + ")";
  }
}
