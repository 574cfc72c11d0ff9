package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/** Whether two descriptors are one open file: kcmp(2). */
final class FileComparison {
  private static final int KCMP_FILE = 0;
  private static final int KCMP_EPOLL_TFD = 7;

  private FileComparison() {}

  /** 0 for the same open file description; otherwise an order that is stable as long as both are open. */
  static int order(DescriptorFacts left, DescriptorFacts right) {
    long result =
        Kernel.check(
            Kernel.call(SyscallNumbers.KCMP, left.pid(), right.pid(), KCMP_FILE, left.fd(), right.fd()),
            "kcmp",
            left.pid(),
            left.object());
    return result == 0 ? 0 : result == 1 ? -1 : 1;
  }

  /**
   * Whether what {@code epoll} watches as the {@code offset}-th target of number {@code fd} is the open file of {@code target}.
   * struct kcmp_epoll_slot: efd, tfd, toff, 4 bytes each.
   */
  static boolean watches(DescriptorFacts epoll, int fd, int offset, DescriptorFacts target, NativeBuffer slot) {
    slot.bytes().putInt(0, epoll.fd()).putInt(4, fd).putInt(8, offset);
    long result =
        Kernel.call(SyscallNumbers.KCMP, target.pid(), epoll.pid(), KCMP_EPOLL_TFD, target.fd(), slot.address());
    if (result == -Errno.ENOENT || result == -Errno.EBADF) {
      return false;
    }
    return Kernel.check(result, "kcmp", epoll.pid(), epoll.object()) == 0;
  }
}
