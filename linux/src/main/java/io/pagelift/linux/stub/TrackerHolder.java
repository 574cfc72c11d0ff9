package io.pagelift.linux.stub;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.PidFd;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.arch.Architecture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The small process that holds userfaultfds, and what else belongs to them, between invocations of the command.
 *
 * <p>It is one page of generated code that waits for the end of the target, on a pidfd, and then ends too. Its command line tells
 * whose holder it is, so that a later invocation finds it; the descriptors are fetched out of it with pidfd_getfd(2). It runs in
 * a session of its own, so that neither a terminal's end nor its Ctrl-C ends it.
 *
 * @param pid the holder's own process id
 * @param targetPid whose userfaultfds it holds
 * @param targetStartTimeTicks the target's start time, field 22 of its stat file
 * @param descriptorCount how many descriptors it holds besides the target's pidfd
 */
public record TrackerHolder(int pid, int targetPid, long targetStartTimeTicks, int descriptorCount) {
  private static final String NAME = "pagelift-holder";
  private static final long ADDRESS = 0x10000000L;
  private static final int PIDFD = 3;
  private static final int FIRST_DESCRIPTOR = PIDFD + 1;
  private static final int MAX_DESCRIPTORS = 1000;
  private static final int ARGUMENTS = 4;
  private static final long END_MILLIS = 5_000;

  /**
   * Starts a holder. It inherits copies of the descriptors; the caller may close its own.
   *
   * @param targetPid the target
   * @param targetStartTimeTicks its start time
   * @param descriptors of this process, at most 1000: in the order in which {@link #fetch} numbers them (state memfd,
   *     userfaultfds, whatever is to be kept)
   * @throws KernelException ESRCH if there is no such target
   */
  public static TrackerHolder spawn(int targetPid, long targetStartTimeTicks, List<FileDescriptor> descriptors) {
    if (descriptors.size() > MAX_DESCRIPTORS) {
      throw new IllegalArgumentException(descriptors.size() + " descriptors for a holder");
    }
    int last = PIDFD + descriptors.size();
    byte[] code = Architecture.current().stubCode().holder(ADDRESS + ElfImage.CODE_OFFSET, last, NAME);
    List<FileDescriptor> copies = new ArrayList<>();
    try (PidFd target = PidFd.open(targetPid);
        FileDescriptor program = ElfImage.memfd(NAME, ElfImage.bytes(ADDRESS, code))) {
      // The pidfd is of the right process if that is still there now that the pidfd is open.
      if (!ProcTree.exists(targetPid, targetStartTimeTicks)) {
        throw new KernelException("pidfd_open", Errno.ESRCH, targetPid, "");
      }
      // Copies above the numbers that they get in the holder: no dup2 there overwrites one that is still to be made.
      copies.add(target.descriptor().dupFrom(last + 1));
      for (FileDescriptor descriptor : descriptors) {
        copies.add(descriptor.dupFrom(last + 1));
      }
      SpawnActions actions = SpawnActions.none();
      for (int i = 0; i < copies.size(); i++) {
        actions = actions.dup(copies.get(i).number(), PIDFD + i);
      }
      List<String> arguments =
          List.of(
              NAME,
              Integer.toString(targetPid),
              Long.toString(targetStartTimeTicks),
              Integer.toString(descriptors.size()));
      try (FileDescriptor executable = program.dupFrom(last + 1)) {
        int pid = Spawn.fexec(executable, arguments, Map.of(), actions);
        // exec(2) lets us go on before it has put the command line in place, by which the holder is known.
        Deadline.inMillis(END_MILLIS).await(() -> read(pid).isPresent());
        return new TrackerHolder(pid, targetPid, targetStartTimeTicks, descriptors.size());
      }
    } finally {
      copies.forEach(FileDescriptor::close);
    }
  }

  /** Finds the holder of a target, among the processes of this user. */
  public static Optional<TrackerHolder> find(int targetPid, long targetStartTimeTicks) {
    for (int pid : ProcTree.withFirstArgument(NAME)) {
      Optional<TrackerHolder> holder = read(pid);
      if (holder.isPresent()
          && holder.get().targetPid == targetPid
          && holder.get().targetStartTimeTicks == targetStartTimeTicks) {
        return holder;
      }
    }
    return Optional.empty();
  }

  /** What a process says on its command line, if it is a holder that this user may have made. */
  private static Optional<TrackerHolder> read(int pid) {
    try {
      List<String> arguments = ProcTree.commandLine(pid);
      // Anybody can write such a command line: the descriptors of another user's process are not to be trusted.
      if (arguments.size() != ARGUMENTS
          || !arguments.get(0).equals(NAME)
          || ProcStatus.read(pid).uids().get(0) != Kernel.call(SyscallNumbers.GETUID)
          || !ProcTree.link(pid, "exe").startsWith("/memfd:" + NAME)) {
        return Optional.empty();
      }
      return Optional.of(
          new TrackerHolder(
              pid,
              Integer.parseInt(arguments.get(1)),
              Long.parseLong(arguments.get(2)),
              Integer.parseInt(arguments.get(3))));
    } catch (KernelException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  /**
   * Fetches a descriptor.
   *
   * @param index its place in the list given to {@link #spawn}
   * @return a new close-on-exec descriptor of this process, the caller's to close
   * @throws KernelException ESRCH if the holder has ended
   */
  public FileDescriptor fetch(int index) {
    if (index < 0 || index >= descriptorCount) {
      throw new IndexOutOfBoundsException("descriptor " + index + " of " + descriptorCount);
    }
    try (PidFd holder = open()) {
      return holder.fetch(FIRST_DESCRIPTOR + index);
    }
  }

  private PidFd open() {
    PidFd holder = PidFd.open(pid);
    if (!read(pid).equals(Optional.of(this))) {
      holder.close();
      throw new KernelException("pidfd_open", Errno.ESRCH, pid, "the holder of process " + targetPid);
    }
    return holder;
  }

  /**
   * Ends the holder and waits until it is gone; what it held is closed. Nothing if it is gone already.
   *
   * @throws KernelException ETIMEDOUT
   */
  public void release() {
    try (PidFd holder = open()) {
      holder.sendSignal(Constants.SIGKILL);
      if (!holder.awaitExit(Deadline.inMillis(END_MILLIS))) {
        throw new KernelException("poll", Errno.ETIMEDOUT, pid, "the end of the holder of process " + targetPid);
      }
    } catch (KernelException e) {
      if (!e.processGone()) {
        throw e;
      }
    }
    // It is our child if this same invocation started it: no zombie then. ECHILD otherwise.
    Kernel.call(SyscallNumbers.WAIT4, pid, 0, Constants.WNOHANG, 0);
  }
}
