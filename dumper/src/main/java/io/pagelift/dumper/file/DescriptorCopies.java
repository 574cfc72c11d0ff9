package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Descriptors of ours that share the open files of other processes: pidfd_getfd(2). Closes them all in the end. */
final class DescriptorCopies implements AutoCloseable {
  private final Map<Integer, Integer> pidfds = new HashMap<>();
  private final Set<Integer> copies = new HashSet<>();

  /** Our own descriptor of the same open file description; -1 where the kernel gives none. */
  int fetch(DescriptorFacts facts) {
    if ((facts.statusFlags() & Constants.O_PATH) != 0) {
      return -1;
    }
    int pidfd = pidfds.computeIfAbsent(facts.pid(), DescriptorCopies::open);
    long copy = Kernel.call(SyscallNumbers.PIDFD_GETFD, pidfd, facts.fd(), 0);
    if (copy == -Errno.EBADF) {
      return -1;
    }
    copies.add((int) Kernel.check(copy, "pidfd_getfd", facts.pid(), facts.object()));
    return (int) copy;
  }

  /** Closes a copy before the others; -1, which stands for none. */
  int close(int copy) {
    if (copy >= 0) {
      copies.remove(Integer.valueOf(copy));
      Kernel.call(SyscallNumbers.CLOSE, copy);
    }
    return -1;
  }

  private static int open(int pid) {
    return (int) Kernel.check(Kernel.call(SyscallNumbers.PIDFD_OPEN, pid, 0), "pidfd_open", pid, "");
  }

  @Override
  public void close() {
    copies.forEach(fd -> Kernel.call(SyscallNumbers.CLOSE, fd));
    pidfds.values().forEach(fd -> Kernel.call(SyscallNumbers.CLOSE, fd));
  }
}
