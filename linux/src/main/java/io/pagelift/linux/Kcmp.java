package io.pagelift.linux;

/** {@code kcmp(2)}: whether two processes share a kernel object. Needs the right to ptrace both. */
public final class Kcmp {
  private Kcmp() {}

  /** What is compared. */
  public enum Type {
    /** Open files, by descriptor numbers. */
    FILE(0),
    /** Address spaces. */
    VM(1),
    /** Descriptor tables. */
    FILES(2),
    /** Root, working directory and umask. */
    FS(3),
    /** Signal actions. */
    SIGHAND(4),
    /** Input and output contexts. */
    IO(5),
    /** System V semaphore adjustments. */
    SYSVSEM(6);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  private static final int EPOLL_TARGET = 7;

  /**
   * Compares.
   *
   * @param index1 a descriptor number for {@link Type#FILE}, otherwise ignored
   * @return 0 if it is the same object; otherwise -1 or 1, an order that holds as long as both objects live, fit for sorting
   */
  public static int compare(int pid1, int pid2, Type type, long index1, long index2) {
    long result = Kernel.call(SyscallNumbers.KCMP, pid1, pid2, type.number, index1, index2);
    Kernel.check(result, "kcmp " + type, pid1, "against process " + pid2);
    return result == 0 ? 0 : result == 1 ? -1 : 1;
  }

  /** Whether two processes share what {@code type} names. */
  public static boolean same(int pid1, int pid2, Type type) {
    return compare(pid1, pid2, type, 0, 0) == 0;
  }

  /** Whether two descriptors are the same open file. */
  public static boolean sameFile(int pid1, int descriptor1, int pid2, int descriptor2) {
    return compare(pid1, pid2, Type.FILE, descriptor1, descriptor2) == 0;
  }

  /**
   * Compares an open file with what an epoll instance watches under a descriptor number.
   *
   * @param index which of several targets with that number, 0 first
   * @return 0 for the same, 1 or -1 for another, or a negative error number below -1: -ENOENT if there is no such target
   */
  public static int epollTarget(
      int pid, int descriptor, int epollPid, int epollDescriptor, int targetNumber, int index) {
    Scratch scratch = Scratch.ofThread();
    scratch.struct().putInt(0, epollDescriptor).putInt(4, targetNumber).putInt(8, index);
    long result =
        Kernel.call(SyscallNumbers.KCMP, pid, epollPid, EPOLL_TARGET, descriptor, scratch.structAddress());
    if (result == -Errno.ENOENT) {
      return -Errno.ENOENT;
    }
    Kernel.check(result, "kcmp EPOLL_TFD", pid, "fd " + descriptor);
    return result == 0 ? 0 : result == 1 ? -1 : 1;
  }
}
