package io.pagelift.linux;

import java.nio.ByteBuffer;

/**
 * The ioctls of {@code userfaultfd(2)} that asynchronous write protection needs. See ioctl_userfaultfd(2) and the kernel's
 * {@code admin-guide/mm/userfaultfd.rst}.
 *
 * <p>The descriptor is bound to the address space in which userfaultfd was called, whoever makes the ioctls.
 */
public final class UserFault {
  /** Flags for userfaultfd(2): O_CLOEXEC, O_NONBLOCK, UFFD_USER_MODE_ONLY (the kernel's own faults need more rights). */
  public static final long CREATE_FLAGS = 0x80801;

  public static final long FEATURE_EVENT_FORK = 1 << 1;
  public static final long FEATURE_WP_HUGETLBFS_SHMEM = 1 << 12;
  public static final long FEATURE_WP_UNPOPULATED = 1 << 13;
  public static final long FEATURE_WP_ASYNC = 1 << 15;

  private static final long API_VERSION = 0xaa;
  private static final long API_REQUEST = 0xc018aa3fL;
  private static final long REGISTER_REQUEST = 0xc020aa00L;
  private static final long UNREGISTER_REQUEST = 0x8010aa01L;
  private static final long WRITE_PROTECT_REQUEST = 0xc018aa06L;
  private static final long REGISTER_MODE_WP = 2;
  private static final long WRITE_PROTECT_MODE_WP = 1;

  private UserFault() {}

  /** A userfaultfd for the memory of this process. */
  public static FileDescriptor create() {
    long result = Kernel.call(SyscallNumbers.USERFAULTFD, CREATE_FLAGS);
    return FileDescriptor.own((int) Kernel.check(result, "userfaultfd", ""), "userfaultfd");
  }

  /**
   * UFFDIO_API: agrees on the features, once for each descriptor. EINVAL if one is missing.
   *
   * @return all features that the kernel has
   */
  public static long api(FileDescriptor userFault, long features) {
    Scratch scratch = Scratch.ofThread();
    ByteBuffer api = scratch.struct();
    api.putLong(0, API_VERSION).putLong(8, features).putLong(16, 0);
    Kernel.check(userFault.ioctl(API_REQUEST, scratch.structAddress()), "ioctl UFFDIO_API", userFault.object());
    return api.getLong(8);
  }

  /**
   * UFFDIO_REGISTER for write protection.
   *
   * @return 0, or the error: EINVAL for mappings that can't be registered (vdso, vvar), EBUSY when another userfaultfd has them,
   *     ENOMEM or ESRCH when the address space is gone
   */
  public static int register(FileDescriptor userFault, long start, long lengthBytes) {
    Scratch scratch = Scratch.ofThread();
    scratch.struct().putLong(0, start).putLong(8, lengthBytes).putLong(16, REGISTER_MODE_WP).putLong(24, 0);
    return errno(userFault.ioctl(REGISTER_REQUEST, scratch.structAddress()));
  }

  /** UFFDIO_UNREGISTER: 0 or the error. The pages become writable again. */
  public static int unregister(FileDescriptor userFault, long start, long lengthBytes) {
    Scratch scratch = Scratch.ofThread();
    scratch.struct().putLong(0, start).putLong(8, lengthBytes);
    return errno(userFault.ioctl(UNREGISTER_REQUEST, scratch.structAddress()));
  }

  /** UFFDIO_WRITEPROTECT: protects or releases a range; 0 or the error. */
  public static int writeProtect(FileDescriptor userFault, long start, long lengthBytes, boolean on) {
    Scratch scratch = Scratch.ofThread();
    scratch
        .struct()
        .putLong(0, start)
        .putLong(8, lengthBytes)
        .putLong(16, on ? WRITE_PROTECT_MODE_WP : 0);
    return errno(userFault.ioctl(WRITE_PROTECT_REQUEST, scratch.structAddress()));
  }

  private static int errno(long result) {
    return Kernel.failed(result) ? (int) -result : 0;
  }
}
