package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;

/** How the kernel names shared memory in maps and in descriptor links. */
public final class SharedMemoryPaths {
  private static final String MEMFD = "/memfd:";
  private static final String ANONYMOUS = "/dev/zero" + DescriptorFacts.DELETED;
  private static final String SYSTEM_V = "/SYSV";
  private static final String NAMED = "/dev/shm/";
  /** HUGETLBFS_MAGIC, linux/magic.h. */
  private static final long HUGETLBFS_MAGIC = 0x958458f6L;

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
    return link.equals(ANONYMOUS) || link.startsWith("[anon_shmem:");
  }

  /** A System V segment: {@code /SYSV<key, 8 hexadecimal digits> (deleted)}. */
  public static boolean systemV(String link) {
    return link.startsWith(SYSTEM_V) && link.endsWith(DescriptorFacts.DELETED);
  }

  /** POSIX shared memory, shm_overview(7). */
  public static boolean named(String link) {
    return link.startsWith(NAMED);
  }

  /** The name that memfd_create(2) got. */
  public static String memfdName(String link) {
    return link.substring(MEMFD.length(), link.length() - DescriptorFacts.DELETED.length());
  }

  static boolean onHugePages(RawReader reader, DescriptorFacts facts) {
    return reader.fileSystemType("/proc/" + facts.pid() + "/fd/" + facts.fd()) == HUGETLBFS_MAGIC;
  }
}
