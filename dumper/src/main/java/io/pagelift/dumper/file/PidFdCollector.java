package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.PidFd;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.SyscallNumbers;

/**
 * Descriptors of processes, pidfd_open(2), and of threads (PIDFD_THREAD): those of the tree, and those of processes that were
 * reaped, which stand for nobody any more but can be compared: the same inode means the same process.
 */
final class PidFdCollector implements FileCollector {
  /** {@code Pid} in fdinfo of a process that was reaped. */
  private static final int REAPED = -1;

  /** {@code _IOWR(0xFF, 11, struct pidfd_info)} with the 64 bytes of its first version, linux/pidfd.h. */
  private static final long PIDFD_GET_INFO = 0xc040ff0bL;

  private static final long PIDFD_INFO_EXIT = 8;
  private static final int INFO_BYTES = 64;
  private static final int EXIT_CODE_OFFSET = 60;

  @Override
  public String kind() {
    return "pidfd";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[pidfd]") || facts.link().startsWith("pidfd:");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    int pid = pid(facts);
    if (pid != REAPED && !inspection.inTree(pid)) {
      inspection.refuse(
          facts,
          pid == 0 ? "its process is in another pid namespace" : "its process " + pid + " is not of the tree",
          "close it before the dump, or dump the tree that has both");
    }
  }

  private static int pid(DescriptorFacts facts) {
    String pid = facts.info().value("Pid");
    return pid == null || pid.isEmpty() ? 0 : Integer.parseInt(pid);
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    int pid = pid(file.facts());
    PidFd.Builder state = PidFd.newBuilder();
    if (pid == REAPED) {
      state.setDeadId(file.facts().stat().inode()).setExitStatus(exitStatus(file.copy()));
    } else {
      state.setPid(pid);
    }
    file.raw(state.build());
  }

  /** What wait4(2) told of it, if this kernel keeps that (Linux 6.15); 0 otherwise. */
  private static int exitStatus(int copy) {
    try (NativeBuffer info = NativeBuffer.allocate(INFO_BYTES)) {
      info.bytes().putLong(0, PIDFD_INFO_EXIT);
      long result = Kernel.call(SyscallNumbers.IOCTL, copy, PIDFD_GET_INFO, info.address());
      boolean known = !Kernel.failed(result) && (info.bytes().getLong(0) & PIDFD_INFO_EXIT) != 0;
      return known ? info.bytes().getInt(EXIT_CODE_OFFSET) : 0;
    }
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return file.raw() instanceof PidFd state ? state : PidFd.getDefaultInstance();
  }
}
