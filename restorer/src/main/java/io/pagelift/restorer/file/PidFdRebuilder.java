package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_NONBLOCK;

import io.pagelift.image.OpenFile;
import io.pagelift.image.PidFd;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import java.util.HashMap;
import java.util.Map;

/** pidfd_open(2): of processes and threads of the tree, and of processes that have ended, those of one process together. */
final class PidFdRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "pidfd";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, PidFd.parser());
  }

  @Override
  public boolean late() {
    return true;
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    PidFd state = Reopen.state(file, PidFd.parser());
    if (state.getPid() != 0) {
      return open(state.getPid(), file);
    }
    OpenedTogether together =
        context.once(
            "pidfd " + state.getDeadId(),
            OpenedTogether.class,
            () -> context.endedProcesses().whileAlive(0, state.getExitStatus(), pid -> all(state.getDeadId(), pid, context)));
    return together.take(file);
  }

  private OpenedTogether all(long deadId, int pid, FileContext context) {
    Map<Integer, FileDescriptor> opened = new HashMap<>();
    for (OpenFile other : context.openFiles()) {
      if (other.getKind().equals(kind())) {
        PidFd state = Reopen.state(other, PidFd.parser());
        if (state.getPid() == 0 && state.getDeadId() == deadId) {
          opened.put(other.getId(), open(pid, other));
        }
      }
    }
    return new OpenedTogether(opened);
  }

  private static FileDescriptor open(int pid, OpenFile file) {
    // PIDFD_THREAD is O_EXCL, PIDFD_NONBLOCK is O_NONBLOCK: linux/pidfd.h.
    long flags = file.getFlags() & (O_EXCL | O_NONBLOCK);
    long number = Kernel.check(Kernel.call(SyscallNumbers.PIDFD_OPEN, pid, flags), "pidfd_open", "process " + pid);
    return FileDescriptor.own((int) number, "pidfd " + pid);
  }
}
