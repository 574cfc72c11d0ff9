package io.pagelift.dumper.facts;

import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcessMaps;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What decides whether a process can be carried over, read the same way from a running and from a frozen process.
 *
 * @param pid the process
 * @param stat its {@code stat}
 * @param statusByThread the {@code status} of each thread, ascending by tid
 * @param maps its mappings
 * @param exe where {@code /proc/PID/exe} points
 * @param root its root directory, seen from ours
 * @param cwd its current directory
 * @param namespaces where {@code /proc/PID/ns/*} point, by name
 * @param descriptors its open files
 */
public record ProcessFacts(
    int pid,
    ProcStat stat,
    Map<Integer, ProcStatus> statusByThread,
    List<MemoryMap> maps,
    String exe,
    String root,
    String cwd,
    Map<String, String> namespaces,
    List<DescriptorFacts> descriptors) {
  private static final List<String> NAMESPACES =
      List.of("cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts");

  /** Reads a process; {@code null} if it is gone. */
  public static @Nullable ProcessFacts read(RawReader reader, int pid) {
    String place = "/proc/" + pid + "/";
    byte[] stat = reader.file(place + "stat");
    byte[] maps = reader.file(place + "maps");
    if (stat == null || maps == null) {
      return null;
    }
    return read(reader, pid, stat, maps);
  }

  /** The same with what was read already. */
  public static ProcessFacts read(RawReader reader, int pid, byte[] rawStat, byte[] rawMaps) {
    String place = "/proc/" + pid + "/";
    Map<Integer, ProcStatus> statuses = new TreeMap<>();
    for (int tid : reader.numbers(place + "task")) {
      byte[] status = reader.file(place + "task/" + tid + "/status");
      if (status != null) {
        statuses.put(tid, ProcStatus.parse(status));
      }
    }
    return new ProcessFacts(
        pid,
        ProcStat.parse(rawStat),
        statuses,
        ProcessMaps.parse(rawMaps),
        link(reader, place + "exe"),
        link(reader, place + "root"),
        link(reader, place + "cwd"),
        namespaces(reader, place),
        DescriptorFacts.readAll(reader, pid));
  }

  /** The namespaces of a process, {@code place} being its directory in /proc with a slash. */
  public static Map<String, String> namespaces(RawReader reader, String place) {
    Map<String, String> links = new LinkedHashMap<>();
    for (String name : NAMESPACES) {
      links.put(name, link(reader, place + "ns/" + name));
    }
    return links;
  }

  /**
   * A directory that belongs to the process.
   *
   * @param name what messages call it
   * @param link where it is, as the kernel prints it
   * @param openPath opens it from outside
   */
  public record Place(String name, String link, String openPath) {}

  /** Its current and its root directory, and its program. */
  public List<Place> places() {
    return List.of(
        new Place("its current directory", cwd, place("cwd")),
        new Place("its root directory", root, place("root")),
        new Place("its program", exe, place("exe")));
  }

  /** Where something of the process is found from outside: {@code /proc/PID/name}. */
  public String place(String name) {
    return "/proc/" + pid + "/" + name;
  }

  /** Whether it has exited. */
  public boolean zombie() {
    return stat.state() == 'Z' || stat.state() == 'X';
  }

  private static String link(RawReader reader, String name) {
    String link = reader.link(name);
    return link == null ? "" : link;
  }
}
