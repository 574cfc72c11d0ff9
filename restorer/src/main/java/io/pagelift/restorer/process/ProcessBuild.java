package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.O_DIRECTORY;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.PR_SET_CHILD_SUBREAPER;
import static io.pagelift.linux.Constants.PR_SET_DUMPABLE;
import static io.pagelift.linux.Constants.PR_SET_MEMORY_MERGE;
import static io.pagelift.linux.Constants.PR_SET_THP_DISABLE;

import io.pagelift.image.FileSystemState;
import io.pagelift.image.ProcessControls;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ResourceLimit;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.file.GhostFiles;
import io.pagelift.restorer.file.PathText;
import io.pagelift.restorer.memory.FetchedFiles;
import io.pagelift.restorer.memory.MemoryBuilder;
import io.pagelift.restorer.process.BuiltProcess.BuiltThread;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.thread.FinalRegisters;
import io.pagelift.restorer.thread.OwnCredentials;
import io.pagelift.restorer.thread.ThreadBuilder;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Builds one process after another, in two parts. The first makes what costs time: memory, descriptors. The second comes when the
 * whole tree is there: queued signals, limits, lost rights, running timers, nothing of which may happen while something is still
 * to be built.
 */
final class ProcessBuild {
  private static final int PR_SET_MDWE = 65;
  private static final byte[] HERE = ".".getBytes(StandardCharsets.US_ASCII);

  private final MemoryBuilder memory;
  private final DescriptorsBuilder descriptors;
  private final GhostFiles ghosts;
  private final OwnCredentials own = OwnCredentials.read();

  ProcessBuild(MemoryBuilder memory, DescriptorsBuilder descriptors, GhostFiles ghosts) {
    this.memory = memory;
    this.descriptors = descriptors;
    this.ghosts = ghosts;
  }

  /** The first part. */
  void build(BuiltProcess process) {
    RemoteCalls calls = process.calls();
    ProcessImage image = process.image();
    memory.build(image, calls);
    try (RemoteMemory.MemFile contents = RemoteMemory.openMem(process.pid())) {
      for (BuiltThread thread : process.threads()) {
        thread.registers(FinalRegisters.of(process.pid(), thread.image(), contents));
      }
    }
    if (image.hasFs()) {
      fileSystem(calls, image.getFs());
    }
    descriptors.build(image, calls);
    SignalsBuilder.actions(calls, image);
    controls(calls, image.getControls());
    calls.flush();
    for (BuiltThread thread : process.threads()) {
      ThreadBuilder.build(thread.calls(), thread.image());
      thread.calls().flush();
    }
    TimersBuilder.create(calls, image);
  }

  private void fileSystem(RemoteCalls calls, FileSystemState fs) {
    String rootPath = PathText.of(fs.getRoot());
    String cwdPath = PathText.of(fs.getCwd());
    boolean ownRoot = fs.getRoot().isEmpty() || rootPath.equals("/");
    try (FileDescriptor directory = directory(fs.getCwdGhostId(), cwdPath);
        FileDescriptor root = directory(fs.getRootGhostId(), ownRoot ? "/" : rootPath);
        FetchedFiles files = new FetchedFiles(calls)) {
      int cwd = files.number(directory);
      if (!ownRoot) {
        calls.add("enter " + rootPath, SyscallNumbers.FCHDIR, files.number(root));
        calls.add("change the root to " + rootPath, SyscallNumbers.CHROOT, calls.string(HERE));
      }
      calls.add("enter " + cwdPath, SyscallNumbers.FCHDIR, cwd);
      calls.add("set the umask", SyscallNumbers.UMASK, fs.getUmask());
    }
  }

  private FileDescriptor directory(int ghostId, String path) {
    int flags = O_RDONLY | O_DIRECTORY;
    return ghostId == 0 ? FileDescriptor.open(path, flags) : ghosts.open(ghostId, path, flags);
  }

  private static void controls(RemoteCalls calls, ProcessControls controls) {
    if (controls.getChildSubreaper()) {
      calls.add("become a subreaper", SyscallNumbers.PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    }
    if (controls.getThpDisabled()) {
      int flags = controls.getThpDisableFlags();
      calls.add("disable huge pages", SyscallNumbers.PRCTL, PR_SET_THP_DISABLE, 1, flags, 0, 0);
    }
    if (controls.getMemoryMerge()) {
      calls.add("let equal pages be merged", SyscallNumbers.PRCTL, PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
    }
    calls.add("set the personality", SyscallNumbers.PERSONALITY, controls.getPersonality());
    if (controls.getMemoryDenyWriteExecute() != 0) {
      calls.add(
          "deny memory that is writable and executable",
          SyscallNumbers.PRCTL,
          PR_SET_MDWE,
          Integer.toUnsignedLong(controls.getMemoryDenyWriteExecute()),
          0,
          0,
          0);
    }
  }

  /** The second part. */
  void complete(BuiltProcess process) {
    RemoteCalls calls = process.calls();
    ProcessImage image = process.image();
    ProcFiles.write(process.pid(), image.getControls());
    SignalsBuilder.queue(calls, image);
    limits(calls, image);
    calls.flush();
    for (BuiltThread thread : process.threads()) {
      ThreadBuilder.queueSignals(thread.calls(), thread.image());
      thread.calls().flush();
    }
    // While the process still has this one's user ids: of another user's process it would take CAP_SYS_RESOURCE.
    for (BuiltThread thread : process.threads()) {
      ThreadBuilder.registerRseq(thread.calls(), thread.image());
      ThreadBuilder.restrict(thread.calls(), thread.image(), own);
      thread.calls().flush();
    }
    long dumpable = image.getControls().getDumpable() == 1 ? 1 : 0;
    calls.add("set whether it may be dumped", SyscallNumbers.PRCTL, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
    calls.flush();
  }

  /** By the process itself, while it still has the restorer's users: from outside that takes CAP_SYS_RESOURCE later. */
  private static void limits(RemoteCalls calls, ProcessImage image) {
    for (ResourceLimit limit : image.getLimitsList()) {
      byte[] values =
          ByteBuffer.allocate(16).order(ByteOrder.nativeOrder()).putLong(limit.getSoft()).putLong(limit.getHard()).array();
      calls.add(
          "set limit " + limit.getResource(), SyscallNumbers.PRLIMIT64, 0, limit.getResource(), calls.data(values), 0);
    }
  }

  /** Starts the timers: the last thing before the process runs. */
  void startTimers(BuiltProcess process) {
    TimersBuilder.start(process.calls(), process.image(), TimerOverruns.start(process));
    process.calls().flush();
  }
}
