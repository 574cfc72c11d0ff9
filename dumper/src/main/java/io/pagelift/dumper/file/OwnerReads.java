package io.pagelift.dumper.file;

import io.pagelift.image.FileOwner;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Who gets the signals of an open file: F_GETOWN_EX, F_GETSIG and F_GETOWNER_UIDS of fcntl(2), which belong to the description. */
final class OwnerReads {
  private static final int F_OWNER_PGRP = 2;

  private OwnerReads() {}

  /** The answers of the kernel. */
  record Owner(int type, int pid, int signal, int uid, int euid) {
    boolean group() {
      return type == F_OWNER_PGRP;
    }

    FileOwner image() {
      return FileOwner.newBuilder().setType(type).setPid(pid).setSignal(signal).setUid(uid).setEuid(euid).build();
    }
  }

  /** The owner; {@code null} when none was ever set. {@code scratch} has 16 bytes or more. */
  static @Nullable Owner read(int copy, NativeBuffer scratch) {
    int signal = (int) fcntl(copy, Constants.F_GETSIG, 0);
    ByteBuffer bytes = scratch.bytes();
    fcntl(copy, Constants.F_GETOWN_EX, scratch.address());
    int pid = bytes.getInt(4);
    if (pid == 0 && signal == 0) {
      return null;
    }
    fcntl(copy, Constants.F_GETOWNER_UIDS, scratch.address() + 8);
    return new Owner(bytes.getInt(0), pid, signal, bytes.getInt(8), bytes.getInt(12));
  }

  private static long fcntl(int fd, int command, long argument) {
    return Kernel.check(Kernel.call(SyscallNumbers.FCNTL, fd, command, argument), "fcntl", "command " + command);
  }
}
