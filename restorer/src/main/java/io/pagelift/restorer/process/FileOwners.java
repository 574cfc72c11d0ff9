package io.pagelift.restorer.process;

import io.pagelift.image.FileOwner;
import io.pagelift.linux.Constants;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/**
 * Gives open files their owners, fcntl(2): who gets their signals, and with whose rights. The kernel remembers the user ids of the
 * thread that sets the owner, so this thread, and no other of this process, takes them on for that call. The saved user id stays,
 * and with it the way back.
 */
final class FileOwners {
  private static final int PR_GET_DUMPABLE = 3;
  private static final int PR_SET_DUMPABLE = 4;
  private static final long UNCHANGED = 0xffff_ffffL;

  private FileOwners() {}

  /** Sets owner and signal. */
  static void set(FileDescriptor file, FileOwner owner) {
    if (owner.getPid() != 0) {
      try (NativeBuffer buffer = NativeBuffer.allocate(16)) {
        // struct f_owner_ex: type 4, pid 4
        buffer.bytes().putInt(0, owner.getType()).putInt(4, owner.getPid());
        withRightsOf(owner, () -> file.fcntl(Constants.F_SETOWN_EX, buffer.address()));
      }
    }
    if (owner.getSignal() != 0) {
      file.fcntl(Constants.F_SETSIG, owner.getSignal());
    }
  }

  private static void withRightsOf(FileOwner owner, Runnable action) {
    long real = Kernel.call(SyscallNumbers.GETUID);
    long effective = Kernel.call(SyscallNumbers.GETEUID);
    if (owner.getUid() == real && owner.getEuid() == effective) {
      action.run();
      return;
    }
    // A change of the effective user id makes the whole process undumpable, and with that its descriptors hard to fetch.
    long dumpable = Kernel.call(SyscallNumbers.PRCTL, PR_GET_DUMPABLE, 0, 0, 0, 0);
    take(Integer.toUnsignedLong(owner.getUid()), Integer.toUnsignedLong(owner.getEuid()));
    try {
      action.run();
    } finally {
      take(real, effective);
      if (dumpable == 1) {
        Kernel.call(SyscallNumbers.PRCTL, PR_SET_DUMPABLE, 1, 0, 0, 0);
      }
    }
  }

  private static void take(long real, long effective) {
    Kernel.check(Kernel.call(SyscallNumbers.SETRESUID, real, effective, UNCHANGED), "setresuid", "user " + effective);
  }
}
