package io.pagelift.dumper.process;

import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.file.Ghosts;
import io.pagelift.dumper.file.PathPlace;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.thread.ThreadImages;
import io.pagelift.dumper.thread.ThreadReading;
import io.pagelift.image.Descriptor;
import io.pagelift.image.FileSystemState;
import io.pagelift.image.ProcessControls;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ResourceLimit;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcStatus;
import java.util.ArrayList;
import java.util.List;

/** Makes the image of a process out of what was read of it. */
public final class ProcessImages {
  private ProcessImages() {}

  /** The image of a process that has exited and was not collected by its parent yet. */
  public static ProcessImage zombie(FrozenProcess process) {
    ProcStat stat = ProcStat.parse(process.rawStat());
    return common(process, stat, false)
        .setState(ProcessImage.State.ZOMBIE)
        .setExitStatus(stat.exitCode())
        .setComm(stat.command())
        .build();
  }

  /** What the processes of a tree have in common, for their images. */
  public record TreeParts(
      FrozenTree tree,
      SharedMemories shared,
      MappedFileStats stats,
      MappingDetails details,
      Ghosts ghosts,
      ControlGroups controlGroups,
      int onlineProcessors,
      RefusalSink sink) {}

  /**
   * The image of a live process.
   *
   * @param objectId of its address space
   * @param descriptors its descriptor table
   */
  public static ProcessImage live(
      ProcessReading reading, TreeParts parts, long objectId, List<Descriptor> descriptors) {
    FrozenProcess process = reading.process();
    refuse(reading, parts.sink());
    ProcStat stat = reading.facts().stat();
    ProcessImage.Builder image =
        common(process, stat, process == parts.tree().root())
            .setState(process.stopSignal() == 0 ? ProcessImage.State.ALIVE : ProcessImage.State.STOPPED)
            .setStopSignal(process.stopSignal())
            .setAddressSpace(AddressSpaces.of(reading, objectId, parts))
            .addAllDescriptors(descriptors)
            .addAllSignalActions(TimerImages.actions(reading.injected()))
            .addAllSharedPending(ThreadImages.queued(reading.sharedPending()))
            .setTimers(TimerImages.timers(reading))
            .addAllLimits(limits(reading))
            .setExitSignal(stat.exitSignal());
    for (ThreadReading thread : reading.threads()) {
      ThreadImage threadImage =
          ThreadImages.of(
              thread, parts.tree().samples(), parts.tree().times().monotonicNanos(), parts.onlineProcessors());
      image.addThreads(threadImage.toBuilder().setControlGroupSet(parts.controlGroups().of(threadImage.getTid())));
    }
    ProcStatus status = reading.threads().get(0).status();
    return image.setFs(places(reading, status, parts.ghosts())).setControls(controls(reading, status)).build();
  }

  private static void refuse(ProcessReading reading, RefusalSink sink) {
    if (reading.injected().memory().localDescriptors()) {
      sink.refuse(
          reading.process().pid(),
          "its local descriptor table (modify_ldt)",
          "it is not carried yet",
          "run a build that does without it; 16-bit and 32-bit emulators use it");
    }
  }

  private static ProcessImage.Builder common(FrozenProcess process, ProcStat stat, boolean root) {
    return ProcessImage.newBuilder()
        .setPid(process.pid())
        .setParentPid(root ? 0 : process.parentPid())
        .setProcessGroup(stat.processGroup())
        .setSession(stat.session())
        .setStartTimeTicks(stat.startTimeTicks());
  }

  private static FileSystemState places(ProcessReading reading, ProcStatus status, Ghosts ghosts) {
    ProcessFacts facts = reading.facts();
    int cwdGhost = ghosts.idAt(facts.place("cwd"));
    int rootGhost = ghosts.idAt(facts.place("root"));
    return FileSystemState.newBuilder()
        .setCwd(PathBytes.of(cwdGhost == 0 ? facts.cwd() : PathPlace.name(facts.cwd())))
        .setCwdGhostId(cwdGhost)
        .setRoot(PathBytes.of(rootGhost == 0 ? facts.root() : PathPlace.name(facts.root())))
        .setRootGhostId(rootGhost)
        .setUmask(status.umask())
        .build();
  }

  private static ProcessControls controls(ProcessReading reading, ProcStatus status) {
    InjectedProcess injected = reading.injected();
    ProcessControls.Builder controls =
        ProcessControls.newBuilder()
            .setChildSubreaper(injected.childSubreaper())
            .setNoNewPrivs(status.noNewPrivileges())
            .setDumpable(injected.dumpable())
            .setThpDisabled(injected.memory().thpDisable() != 0)
            .setThpDisableFlags(injected.memory().thpDisable() & ~1)
            .setMemoryMerge(injected.memory().merge())
            .setOomScoreAdj(Integer.parseInt(reading.oomScoreAdjustment()))
            .setPersonality(Long.parseLong(reading.personality(), 16))
            .setMemoryDenyWriteExecute(injected.denyWriteExecute());
    if (!reading.coredumpFilter().isEmpty()) {
      controls.setCoredumpFilter(Integer.parseUnsignedInt(reading.coredumpFilter(), 16));
    }
    return controls.build();
  }

  private static List<ResourceLimit> limits(ProcessReading reading) {
    List<ResourceLimit> limits = new ArrayList<>();
    for (int resource = 0; resource < reading.limits().size(); resource++) {
      limits.add(
          ResourceLimit.newBuilder()
              .setResource(resource)
              .setSoft(reading.limits().get(resource).soft())
              .setHard(reading.limits().get(resource).hard())
              .build());
    }
    return limits;
  }
}
