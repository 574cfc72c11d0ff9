package io.pagelift.linux;

/** Calls that make and remove names. They throw {@link KernelException} with the path; names may be any bytes, see {@link FileNames}. */
public final class Paths {
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int AT_REMOVEDIR = 0x200;

  private Paths() {}

  /**
   * Gives an open file one more name: {@code linkat(2)}. ENOENT for a file without any name, unless it was made with O_TMPFILE.
   *
   * @param openPath its entry under {@code /proc/PID/fd}
   */
  public static void link(String openPath, String name) {
    Scratch scratch = Scratch.ofThread();
    check(
        Kernel.call(
            SyscallNumbers.LINKAT,
            Constants.AT_FDCWD,
            scratch.path(openPath),
            Constants.AT_FDCWD,
            scratch.secondPath(name),
            AT_SYMLINK_FOLLOW),
        "linkat",
        name);
  }

  /** {@code unlink(2)}; a name that is not there is none that has to go. */
  public static void unlink(String name) {
    remove(name, 0, "unlink");
  }

  /** {@code rmdir(2)}; a directory that is not there is none that has to go. */
  public static void removeDirectory(String name) {
    remove(name, AT_REMOVEDIR, "rmdir");
  }

  private static void remove(String name, int flags, String call) {
    long result = Kernel.call(SyscallNumbers.UNLINKAT, Constants.AT_FDCWD, Scratch.ofThread().path(name), flags);
    if (result != -Errno.ENOENT) {
      check(result, call, name);
    }
  }

  /** {@code mkdir(2)}. */
  public static void makeDirectory(String name, int permissions) {
    check(
        Kernel.call(SyscallNumbers.MKDIRAT, Constants.AT_FDCWD, Scratch.ofThread().path(name), permissions), "mkdir", name);
  }

  /**
   * {@code mknod(2)}: device nodes, FIFOs, socket nodes.
   *
   * @param mode one of S_IF* and permissions, which the umask restricts
   * @param device the kernel's encoding, 0 for what is no device
   */
  public static void makeNode(String name, int mode, long device) {
    check(
        Kernel.call(SyscallNumbers.MKNODAT, Constants.AT_FDCWD, Scratch.ofThread().path(name), mode, device), "mknod", name);
  }

  /** {@code symlink(2)}. */
  public static void makeSymbolicLink(String target, String name) {
    Scratch scratch = Scratch.ofThread();
    check(
        Kernel.call(SyscallNumbers.SYMLINKAT, scratch.path(target), Constants.AT_FDCWD, scratch.secondPath(name)),
        "symlink",
        name);
  }

  private static void check(long result, String call, String name) {
    Kernel.check(result, call, name);
  }
}
