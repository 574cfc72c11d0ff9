package io.pagelift.dumper.refuse;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.FileInspection;
import io.pagelift.dumper.file.FrozenFiles;
import io.pagelift.dumper.freeze.ProcessWalk;
import io.pagelift.dumper.process.MappedFileStats;
import io.pagelift.dumper.process.MappingKinds;
import io.pagelift.dumper.process.SharedMemories;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.MemoryMapDetail;
import io.pagelift.linux.ProcessMaps;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Finds what cannot be carried over, by looking at the running tree: before anything of it is stopped. */
public final class Refusals {
  /** How often a tree that would be refused is looked at: a vfork, or a program that is just starting, passes by itself. */
  private static final int LOOKS = 5;

  /** And one that holds nothing but events that its program is about to read: on a busy machine that takes a while. */
  private static final int LOOKS_AT_PASSING = 25;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(40);

  private Refusals() {}

  /**
   * Everything in the tree of {@code rootPid} that a dump would refuse; empty when there is nothing. The tree runs on meanwhile:
   * what is only there for a moment may be found or missed, and is looked at again in the freeze.
   */
  public static List<Refusal> check(int rootPid, CollectOptions options) {
    List<Refusal> refusals = look(rootPid, options);
    for (int i = 1; i < looks(refusals) && !refusals.isEmpty(); i++) {
      LockSupport.parkNanos(PAUSE_NANOS);
      refusals = look(rootPid, options);
    }
    return refusals;
  }

  private static int looks(List<Refusal> refusals) {
    return refusals.stream().allMatch(Refusal::passing) ? LOOKS_AT_PASSING : LOOKS;
  }

  private static List<Refusal> look(int rootPid, CollectOptions options) {
    List<Refusal> refusals = new ArrayList<>();
    try (RawReader reader = new RawReader();
        SharedMemories shared = new SharedMemories()) {
      List<ProcessFacts> processes = new ArrayList<>();
      List<Integer> pids = ProcessWalk.pids(reader, rootPid);
      for (int pid : pids) {
        ProcessFacts facts = ProcessFacts.read(reader, pid);
        if (facts != null && !facts.zombie()) {
          processes.add(facts);
        }
      }
      if (processes.isEmpty() || processes.get(0).pid() != rootPid) {
        return List.of(new Refusal(rootPid, "it", "there is no such live process", "name one that runs"));
      }
      MappedFileStats mappedFiles = new MappedFileStats();
      processes.forEach(process -> shared.read(reader, process));
      shared.readSegments(reader, processes);
      shared.inspectSegments(refusals::add);
      processes.forEach(process -> mappedFiles.read(reader, process));
      ProcessInspection inspection = new ProcessInspection(reader, rootPid, pids, options, refusals::add);
      FileInspection files = new FileInspection(reader, options, Set.copyOf(pids), false, refusals::add);
      for (ProcessFacts process : processes) {
        inspection.inspect(process);
        MappingKinds.inspect(process, shared, mappedFiles, files);
        for (DescriptorFacts descriptor : process.descriptors()) {
          FrozenFiles.inspect(descriptor, files);
        }
      }
      SharingInspection.inspect(processes, refusals::add);
      IpcInspection.inspect(Set.copyOf(pids), refusals::add);
      PipeInspection.inspect(reader, processes, refusals::add);
      processes.forEach(process -> inspectDetails(reader, process.pid(), refusals));
    }
    return refusals.stream().distinct().toList();
  }

  private static void inspectDetails(RawReader reader, int pid, List<Refusal> refusals) {
    byte[] smaps = reader.file("/proc/" + pid + "/smaps");
    if (smaps != null) {
      for (MemoryMapDetail detail : ProcessMaps.parseDetails(smaps)) {
        MappingKinds.inspectDetail(pid, detail, refusals::add);
      }
    }
  }
}
