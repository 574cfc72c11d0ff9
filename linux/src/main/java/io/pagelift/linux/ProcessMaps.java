package io.pagelift.linux;

import java.util.List;

/**
 * The mappings of a process.
 *
 * <p>Reading and parsing are apart: {@link #readRaw(int, NativeBuffer)} is a handful of system calls into memory that is already
 * there, fit for the few hundred microseconds in which a process is frozen; parsing comes after. The first call in a JVM takes
 * some 10 milliseconds of class loading: read one's own mappings once before freezing anything.
 *
 * <p>A process that ends meanwhile makes the text end early without an error: whoever reads the mappings of a process that runs
 * asks its {@link PidFd} afterwards whether it was still there.
 */
public final class ProcessMaps {
  private ProcessMaps() {}

  /** The text of {@code /proc/PID/maps}. */
  public static byte[] readRaw(int pid) {
    return ProcFile.read("/proc/" + pid + "/maps");
  }

  /**
   * The text of {@code /proc/PID/maps} into memory that the caller made and touched before.
   *
   * @return its length in bytes, or -1 if it does not fit
   */
  public static int readRaw(int pid, NativeBuffer into) {
    try (FileDescriptor file = FileDescriptor.open("/proc/" + pid + "/maps", Constants.O_RDONLY)) {
      long room = Math.min(into.lengthBytes(), Integer.MAX_VALUE);
      long address = into.address();
      int length = 0;
      while (length < room) {
        int count = file.read(address + length, (int) room - length);
        if (count == 0) {
          return length;
        }
        length += count;
      }
      return -1;
    }
  }

  /** The bytes that {@link #readRaw(int, NativeBuffer)} left. */
  public static byte[] bytes(NativeBuffer buffer, int lengthBytes) {
    byte[] raw = new byte[lengthBytes];
    buffer.bytes().get(raw);
    return raw;
  }

  /** Parses the text of a maps file. */
  public static List<MemoryMap> parse(byte[] raw) {
    return MapsParser.maps(raw);
  }

  /** Reads and parses; a process without memory (a zombie, a kernel thread) has no mappings. */
  public static List<MemoryMap> read(int pid) {
    return parse(readRaw(pid));
  }

  /** The text of {@code /proc/PID/smaps}. It walks all page tables: slow for a large process. */
  public static byte[] readRawDetails(int pid) {
    return ProcFile.read("/proc/" + pid + "/smaps");
  }

  /** Parses the text of an smaps file. */
  public static List<MemoryMapDetail> parseDetails(byte[] raw) {
    return MapsParser.details(raw);
  }

  /** Reads and parses smaps. */
  public static List<MemoryMapDetail> readDetails(int pid) {
    return parseDetails(readRawDetails(pid));
  }

  /**
   * Opens the very file behind a mapping, by {@code /proc/PID/map_files}, also if its name is gone or is another file's by now.
   * Needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE in the initial user namespace.
   */
  public static FileDescriptor openFile(int pid, MemoryMap map, int flags) {
    return FileDescriptor.open(mapFilePath(pid, map), flags);
  }

  /** The status of the very file behind a mapping. */
  public static Stat statFile(int pid, MemoryMap map) {
    return Stat.of(mapFilePath(pid, map));
  }

  private static String mapFilePath(int pid, MemoryMap map) {
    return "/proc/" + pid + "/map_files/" + map.mapFileName();
  }
}
