package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_PATH;
import static io.pagelift.linux.Constants.SEEK_SET;
import static io.pagelift.linux.Constants.SIGKILL;

import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import java.util.HashMap;
import java.util.Map;

/** Files of {@code /proc}, opened when the processes are there that they are about. */
final class ProcFileRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "proc";
  }

  @Override
  public void check(OpenFile file) {
    ProcFile state = Reopen.state(file, ProcFile.parser());
    if (!path(state).startsWith("/proc/")) {
      throw Reopen.refused("The image has a file of /proc that is none: " + path(state) + "; dump again.");
    }
    if (state.getPid() == 0) {
      FileChecks.existing(path(state));
    }
  }

  @Override
  public boolean late() {
    return true;
  }

  @Override
  public int endedPid(OpenFile file) {
    ProcFile state = Reopen.state(file, ProcFile.parser());
    return state.getDead() ? state.getPid() : 0;
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    ProcFile state = Reopen.state(file, ProcFile.parser());
    if (!state.getDead()) {
      return open(state, file);
    }
    int pid = state.getPid();
    OpenedTogether together =
        context.once("proc " + pid, OpenedTogether.class, () -> context.endedProcesses().whileAlive(pid, SIGKILL, alive -> all(pid, context)));
    return together.take(file);
  }

  private OpenedTogether all(int pid, FileContext context) {
    Map<Integer, FileDescriptor> opened = new HashMap<>();
    for (OpenFile other : context.openFiles()) {
      if (other.getKind().equals(kind()) && endedPid(other) == pid) {
        opened.put(other.getId(), open(Reopen.state(other, ProcFile.parser()), other));
      }
    }
    return new OpenedTogether(opened);
  }

  private static FileDescriptor open(ProcFile state, OpenFile file) {
    FileDescriptor descriptor = Reopen.path(path(state), file.toBuilder().setPosition(0).build());
    if (file.getPosition() != 0 && (file.getFlags() & O_PATH) == 0) {
      try {
        descriptor.seek(file.getPosition(), SEEK_SET);
      } catch (KernelException e) {
        // Some of these files have a position that only reading moves; what they say is made anew at each reading.
      }
    }
    return descriptor;
  }

  private static String path(ProcFile state) {
    return PathText.of(state.getPath());
  }
}
