package io.pagelift.restorer.memory;

import static io.pagelift.linux.Constants.IPC_CREAT;
import static io.pagelift.linux.Constants.IPC_EXCL;
import static io.pagelift.linux.Constants.IPC_RMID;
import static io.pagelift.linux.Constants.IPC_SET;
import static io.pagelift.linux.Constants.MAP_HUGE_SHIFT;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.SHM_HUGETLB;
import static io.pagelift.linux.Constants.SHM_LOCK;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.SystemV;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.SystemVSegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Segments of System V shared memory, sysvipc(7), made with the ids that they had.
 *
 * <p>A segment outlives its processes. So on the source's own host it is usually still there after the dump: if it has the same
 * key, size, owners and permissions, nobody has it attached and its contents are those of the image, it is used. Any other
 * segment with that id or key is in the way and named. On another host the id is asked for through {@code
 * /proc/sys/kernel/shm_next_id}.
 *
 * <p>Until everything is built, a segment of ours has no permissions at all. That is how a later restore knows one that a killed
 * restorer left behind, and removes it.
 */
final class SystemVSegments {
  private static final String NEXT_ID = "/proc/sys/kernel/shm_next_id";
  private static final long KEEP = -1;

  /** struct shmid64_ds of asm-generic/shmbuf.h; struct ipc64_perm, at its beginning, has key, uid, gid, cuid, cgid, mode. */
  private static final int SHMID_BYTES = 112;

  private static final int UID_OFFSET = 4;
  private static final int GID_OFFSET = 8;
  private static final int MODE_OFFSET = 20;

  private final List<SystemV> made = new ArrayList<>();

  /** Refuses a segment that cannot get its id or its key here. Changes nothing. */
  static void check(SharedMemory memory) {
    SystemV wanted = memory.getSystemV();
    List<SystemVSegment> all = SystemVSegment.readAll();
    Optional<SystemVSegment> sameId = all.stream().filter(segment -> segment.id() == wanted.getId()).findFirst();
    if (sameId.isPresent()) {
      if (!leftOver(sameId.get(), wanted)) {
        checkSame(sameId.get(), wanted);
      }
      return;
    }
    all.stream()
        .filter(segment -> wanted.getKey() != 0 && segment.key() == wanted.getKey())
        .findFirst()
        .ifPresent(
            segment -> {
              throw refused(
                  name(wanted) + " cannot be made: its key is taken here by segment " + segment.id()
                      + "; remove that (ipcrm -m " + segment.id() + ") if nothing uses it.");
            });
  }

  private static boolean leftOver(SystemVSegment here, SystemV wanted) {
    return here.permissions() == 0
        && here.attachments() == 0
        && here.key() == wanted.getKey()
        && here.sizeBytes() == wanted.getSizeBytes();
  }

  private static void checkSame(SystemVSegment here, SystemV wanted) {
    if (here.attachments() != 0) {
      throw refused(
          name(wanted) + " is there already, and " + here.attachments()
              + " mappings of other processes use it; end them, or restore on another host.");
    }
    boolean same =
        here.key() == wanted.getKey()
            && here.sizeBytes() == wanted.getSizeBytes()
            && here.uid() == wanted.getUid()
            && here.gid() == wanted.getGid()
            && here.creatorUid() == wanted.getCreatorUid()
            && here.creatorGid() == wanted.getCreatorGid()
            && here.permissions() == wanted.getMode()
            && !wanted.getRemoved();
    if (!same) {
      throw refused(
          "The id of " + name(wanted) + " is taken here by a segment with another key, size, owner or mode; remove it (ipcrm -m "
              + here.id() + ") if nothing uses it.");
    }
  }

  /** The memory of a segment that exists, already or now; filled by the caller if it is new. */
  record Opened(FileDescriptor object, boolean existed) {}

  /** Finds or makes a segment. */
  Opened open(SharedMemory memory) {
    check(memory);
    SystemV wanted = memory.getSystemV();
    Optional<SystemVSegment> here =
        SystemVSegment.readAll().stream().filter(segment -> segment.id() == wanted.getId()).findFirst();
    if (here.isPresent() && leftOver(here.get(), wanted) && wanted.getMode() != 0) {
      remove(wanted.getId());
      here = Optional.empty();
    }
    if (here.isPresent()) {
      return new Opened(contents(wanted), true);
    }
    make(memory);
    made.add(wanted);
    return new Opened(contents(wanted), false);
  }

  private static void make(SharedMemory memory) {
    SystemV wanted = memory.getSystemV();
    long bytes = memory.getHugePageBytes();
    long flags = IPC_CREAT | IPC_EXCL;
    if (bytes != 0) {
      flags |= SHM_HUGETLB | (long) Long.numberOfTrailingZeros(bytes) << MAP_HUGE_SHIFT;
    }
    ProcFile.write(NEXT_ID, Integer.toString(wanted.getId()));
    long id = asCreator(wanted, flags);
    if (Kernel.failed(id)) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED,
          name(wanted) + " of " + wanted.getSizeBytes() + " bytes cannot be made here ("
              + new KernelException("shmget", (int) -id, 0, "").errnoName()
              + "); raise kernel.shmmax, shmall or shmmni"
              + (bytes == 0 ? "." : ", or vm.nr_hugepages."));
    }
    if (id != wanted.getId()) {
      remove((int) id);
      throw refused("The id of " + name(wanted) + " was taken just now by something else; try again.");
    }
  }

  /** The creator's users are those of who calls; raw calls change them for this thread alone. */
  private static long asCreator(SystemV wanted, long flags) {
    long ownUid = Kernel.call(SyscallNumbers.GETEUID);
    long ownGid = Kernel.call(SyscallNumbers.GETEGID);
    long uid = Integer.toUnsignedLong(wanted.getCreatorUid());
    long gid = Integer.toUnsignedLong(wanted.getCreatorGid());
    try {
      if (gid != ownGid) {
        Kernel.check(Kernel.call(SyscallNumbers.SETRESGID, KEEP, gid, KEEP), "setresgid", name(wanted));
      }
      if (uid != ownUid) {
        Kernel.check(Kernel.call(SyscallNumbers.SETRESUID, KEEP, uid, KEEP), "setresuid", name(wanted));
      }
      return Kernel.call(SyscallNumbers.SHMGET, wanted.getKey(), wanted.getSizeBytes(), flags);
    } finally {
      if (uid != ownUid) {
        Kernel.check(Kernel.call(SyscallNumbers.SETRESUID, KEEP, ownUid, KEEP), "setresuid", name(wanted));
      }
      if (gid != ownGid) {
        Kernel.check(Kernel.call(SyscallNumbers.SETRESGID, KEEP, ownGid, KEEP), "setresgid", name(wanted));
      }
    }
  }

  /** Attached for a moment, to open the file behind it. */
  private static FileDescriptor contents(SystemV wanted) {
    long address =
        Kernel.check(Kernel.call(SyscallNumbers.SHMAT, wanted.getId(), 0, 0), "shmat", name(wanted));
    try {
      for (MemoryMap map : ProcessMaps.read(Kernel.pid())) {
        if (map.start() == address) {
          return FileDescriptor.open("/proc/self/map_files/" + map.mapFileName(), O_RDWR);
        }
      }
      throw new IllegalStateException("an attachment of ours is not mapped");
    } finally {
      Kernel.call(SyscallNumbers.SHMDT, address);
    }
  }

  /** Gives those that were made their owner and mode, now that all processes have attached them, and marks those for removal. */
  void finish() {
    for (SystemV segment : made) {
      try (NativeBuffer buffer = NativeBuffer.allocate(SHMID_BYTES)) {
        buffer.bytes().putInt(UID_OFFSET, segment.getUid()).putInt(GID_OFFSET, segment.getGid());
        buffer.bytes().putInt(MODE_OFFSET, segment.getMode());
        Kernel.check(Kernel.call(SyscallNumbers.SHMCTL, segment.getId(), IPC_SET, buffer.address()), "shmctl", name(segment));
      }
      if (segment.getLocked()) {
        Kernel.check(Kernel.call(SyscallNumbers.SHMCTL, segment.getId(), SHM_LOCK, 0), "shmctl", name(segment));
      }
      if (segment.getRemoved()) {
        remove(segment.getId());
      }
    }
  }

  /** They belong to the tree from now on. */
  void keep() {
    made.clear();
  }

  /** Removes those that were made for nothing. */
  void discard() {
    made.stream().filter(segment -> !segment.getRemoved()).forEach(segment -> Kernel.call(SyscallNumbers.SHMCTL, segment.getId(), IPC_RMID, 0));
    made.clear();
  }

  private static void remove(int id) {
    Kernel.check(Kernel.call(SyscallNumbers.SHMCTL, id, IPC_RMID, 0), "shmctl", "System V shared memory " + id);
  }

  static String name(SystemV segment) {
    return "System V shared memory " + segment.getId()
        + (segment.getKey() == 0 ? "" : String.format(Locale.ROOT, " (key 0x%08x)", segment.getKey()));
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
