package io.pagelift.linux;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of {@code /proc/sysvipc/shm}: a segment of System V shared memory, sysvipc(7), in the reader's IPC namespace.
 *
 * @param key of shmget(2), 0 for IPC_PRIVATE and for a segment that is marked for removal
 * @param id also the inode number of its mappings
 * @param mode permissions with SHM_DEST and SHM_LOCKED
 * @param sizeBytes as given to shmget(2), not rounded
 * @param creatorPid who called shmget(2)
 * @param attachments how many mappings there are of it
 * @param changedSeconds creation or last shmctl(2) IPC_SET, CLOCK_REALTIME
 */
public record SystemVSegment(
    int key,
    int id,
    int mode,
    long sizeBytes,
    int creatorPid,
    long attachments,
    int uid,
    int gid,
    int creatorUid,
    int creatorGid,
    long changedSeconds) {
  /** SHM_DEST: the segment goes with its last attachment. */
  public static final int DESTROY = 01000;

  /** SHM_LOCKED: it is not swapped out. */
  public static final int LOCKED = 02000;

  private static final String PLACE = "/proc/sysvipc/shm";
  private static final int FIELDS = 14;

  /** All segments; none on a kernel without System V IPC. */
  public static List<SystemVSegment> readAll() {
    try {
      return parse(ProcFile.read(PLACE));
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return List.of();
      }
      throw e;
    }
  }

  /** Parses the text of the file. */
  public static List<SystemVSegment> parse(byte[] text) {
    List<SystemVSegment> segments = new ArrayList<>();
    for (String line : new String(text, StandardCharsets.US_ASCII).lines().skip(1).toList()) {
      String[] fields = line.strip().split(" +", -1);
      if (fields.length >= FIELDS) {
        segments.add(
            new SystemVSegment(
                Integer.parseInt(fields[0]),
                Integer.parseInt(fields[1]),
                Integer.parseInt(fields[2], 8),
                Long.parseLong(fields[3]),
                Integer.parseInt(fields[4]),
                Long.parseLong(fields[6]),
                Integer.parseUnsignedInt(fields[7]),
                Integer.parseUnsignedInt(fields[8]),
                Integer.parseUnsignedInt(fields[9]),
                Integer.parseUnsignedInt(fields[10]),
                Long.parseLong(fields[13])));
      }
    }
    return segments;
  }

  /** Whether it is marked for removal. */
  public boolean removed() {
    return (mode & DESTROY) != 0;
  }

  /** The permissions alone. */
  public int permissions() {
    return mode & 0777;
  }
}
