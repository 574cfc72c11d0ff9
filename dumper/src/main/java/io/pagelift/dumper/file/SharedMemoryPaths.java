package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.tree.SharedKey;

/** How the kernel names shared memory in maps and in descriptor links. */
public final class SharedMemoryPaths {
  private static final String MEMFD = "/memfd:";
  private static final String ANONYMOUS = "/dev/zero" + DescriptorFacts.DELETED;
  private static final String SYSTEM_V = "/SYSV";
  private static final String NAMED = "/dev/shm/";
  private static final String ANONYMOUS_HUGE = "/anon_hugepage" + DescriptorFacts.DELETED;
  /** HUGETLBFS_MAGIC, linux/magic.h. */
  private static final long HUGETLBFS_MAGIC = 0x958458f6L;

  /** Above the 32 bits that a device number has. */
  private static final long SYSTEM_V_DEVICE = 1L << 40;

  private SharedMemoryPaths() {}

  /** Whether this is memory that travels as an object of its own, whoever has it open or mapped. */
  public static boolean sharedMemory(String link) {
    return memfd(link) || anonymous(link) || systemV(link) || named(link);
  }

  /** A memfd: {@code /memfd:name (deleted)}. */
  public static boolean memfd(String link) {
    return link.startsWith(MEMFD) && link.endsWith(DescriptorFacts.DELETED);
  }

  /** Anonymous shared memory. */
  public static boolean anonymous(String link) {
    return link.equals(ANONYMOUS) || link.startsWith("[anon_shmem:") || anonymousHuge(link);
  }

  /** Anonymous memory of huge pages (MAP_HUGETLB), shared or private: both have a file behind them. */
  public static boolean anonymousHuge(String link) {
    return link.equals(ANONYMOUS_HUGE);
  }

  /** A System V segment: {@code /SYSV<key, 8 hexadecimal digits> (deleted)}. */
  public static boolean systemV(String link) {
    return link.startsWith(SYSTEM_V) && link.endsWith(DescriptorFacts.DELETED);
  }

  /**
   * What tells an object from another. The inode of a System V segment is its id, which may be the number of some other object's
   * inode on the same (kernel-internal) tmpfs; so the device gets a mark.
   */
  public static SharedKey key(String link, SharedKey deviceAndInode) {
    return systemV(link)
        ? new SharedKey(deviceAndInode.device() | SYSTEM_V_DEVICE, deviceAndInode.inode())
        : deviceAndInode;
  }

  /** POSIX shared memory, shm_overview(7). */
  public static boolean named(String link) {
    return link.startsWith(NAMED);
  }

  /** The name that memfd_create(2) got. */
  public static String memfdName(String link) {
    return link.substring(MEMFD.length(), link.length() - DescriptorFacts.DELETED.length());
  }

  /** The size of the huge pages of a file on hugetlbfs; 0 on any other file system. */
  public static long hugePageBytes(RawReader reader, String path) {
    return reader.fileSystemType(path) == HUGETLBFS_MAGIC ? reader.fileSystemBlockBytes(path) : 0;
  }
}
