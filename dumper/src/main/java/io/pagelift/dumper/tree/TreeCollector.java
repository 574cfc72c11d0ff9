package io.pagelift.dumper.tree;

import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.FileInspection;
import io.pagelift.dumper.file.FrozenFiles;
import io.pagelift.dumper.file.Ghosts;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.process.ControlGroups;
import io.pagelift.dumper.process.MappedFileStats;
import io.pagelift.dumper.process.MappingDetails;
import io.pagelift.dumper.process.MappingKinds;
import io.pagelift.dumper.process.ProcessImages;
import io.pagelift.dumper.process.ProcessReading;
import io.pagelift.dumper.process.SharedMemories;
import io.pagelift.dumper.refuse.ProcessInspection;
import io.pagelift.dumper.refuse.Refusal;
import io.pagelift.dumper.refuse.SharingInspection;
import io.pagelift.dumper.refuse.TreeRefused;
import io.pagelift.image.TreeImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the state of a frozen tree, all but the contents of its memory.
 *
 * <p>Freeze time is what the user waits for, so the work is in two parts: {@link #collectFrozen} reads while the tree is
 * stopped, {@link #build} parses, beside or after the reading of the pages. One reading (the flags of the mappings) goes on in the
 * background from one to the other, so the tree must stay frozen until {@code build} has returned.
 */
public final class TreeCollector {
  private static final Duration BOUND = Duration.ofMinutes(2);

  private final CollectOptions options;

  /** A collector for one dump. */
  public TreeCollector(CollectOptions options) {
    this.options = options;
  }

  /**
   * Reads everything that must be read while the tree is stopped. May be called on any thread.
   *
   * @throws PageliftException REFUSED, naming the process and the object, for what cannot be rebuilt; the caller thaws
   */
  public RawTree collectFrozen(FrozenTree tree, ObjectIds ids) {
    return tree.tracer().call("read the state of the tree", BOUND, () -> read(tree, ids));
  }

  private RawTree read(FrozenTree tree, ObjectIds ids) {
    List<Refusal> refusals = new ArrayList<>();
    try (RawReader reader = new RawReader()) {
      Map<Integer, ProcessFacts> facts = new LinkedHashMap<>();
      for (FrozenProcess process : tree.processes()) {
        if (!process.zombie()) {
          facts.put(process.pid(), ProcessFacts.read(reader, process.pid(), process.rawStat(), process.rawMaps()));
        }
      }
      SharedMemories shared = new SharedMemories();
      MappedFileStats mappedFiles = new MappedFileStats();
      facts.values().forEach(process -> shared.read(reader, process));
      shared.readSegments(reader, facts.values());
      shared.inspectSegments(refusals::add);
      facts.values().forEach(process -> mappedFiles.read(reader, process));
      ProcessInspection inspection = new ProcessInspection(reader, tree.root().pid(), pids(tree), options, refusals::add);
      FileInspection files = new FileInspection(reader, options, Set.copyOf(pids(tree)), true, refusals::add);
      for (ProcessFacts process : facts.values()) {
        inspection.inspect(process);
        MappingKinds.inspect(process, shared, mappedFiles, files);
      }
      SharingInspection.inspect(facts.values(), refusals::add);
      Map<Integer, List<DescriptorFacts>> descriptors = new LinkedHashMap<>();
      facts.forEach((pid, process) -> descriptors.put(pid, process.descriptors()));
      Ghosts ghosts = new Ghosts(reader, refusals::add);
      FrozenFiles open = FrozenFiles.read(files, descriptors, shared::contains, ghosts);
      facts.values().forEach(process -> addPlaces(reader, process, ghosts));
      facts.values().forEach(process -> MappingKinds.addGhosts(process, shared, mappedFiles, ghosts));
      if (refusals.isEmpty()) {
        ghosts.makeLinks();
      }
      refuse(refusals, ghosts);
      Map<Integer, ProcessReading> readings = new LinkedHashMap<>();
      for (FrozenProcess process : tree.processes()) {
        ProcessFacts known = facts.get(process.pid());
        if (known != null) {
          readings.put(process.pid(), ProcessReading.read(reader, process, known));
        }
      }
      // After the injected calls, which need to change the mappings for a moment.
      MappingDetails details = MappingDetails.start(List.copyOf(readings.keySet()));
      ControlGroups controlGroups = ControlGroups.start(threads(facts.values()));
      List<ObjectSource> sources = sources(shared, ghosts, ids);
      return new RawTree(
          tree, ids, readings, shared, mappedFiles, details, controlGroups, open, ghosts, sources);
    }
  }

  private static List<Integer> threads(Collection<ProcessFacts> processes) {
    return processes.stream().flatMap(process -> process.statusByThread().keySet().stream()).toList();
  }

  private static List<Integer> pids(FrozenTree tree) {
    return tree.processes().stream().map(FrozenProcess::pid).toList();
  }

  private static void addPlaces(RawReader reader, ProcessFacts process, Ghosts ghosts) {
    for (ProcessFacts.Place place : process.places()) {
      FileStat stat = reader.stat(place.openPath());
      if (stat != null) {
        ghosts.add(process.pid(), place.link(), stat, place.openPath());
      }
    }
  }

  private static List<ObjectSource> sources(SharedMemories shared, Ghosts ghosts, ObjectIds ids) {
    List<ObjectSource> sources = new ArrayList<>(shared.sources(ids));
    sources.addAll(ghosts.sources(ids));
    return sources;
  }

  /**
   * The image of what {@link #collectFrozen} read. The tree is still frozen.
   *
   * @throws PageliftException REFUSED for what cannot be rebuilt and showed only now
   */
  public TreeImage build(RawTree raw) {
    List<Refusal> refusals = new ArrayList<>();
    FrozenTree tree = raw.tree();
    int processors = HostFacts.onlineProcessors();
    ProcessImages.TreeParts parts =
        new ProcessImages.TreeParts(
            tree,
            raw.shared(),
            raw.mappedFiles(),
            raw.details(),
            raw.ghosts(),
            raw.controlGroups(),
            processors,
            refusals::add);
    TreeImage.Builder image =
        TreeImage.newBuilder()
            .setFormatVersion(1)
            .setSoftware(options.software())
            .setDumpedUnixNanos(tree.times().realtimeNanos())
            .setHost(HostFacts.of(tree.times(), raw.readings().values()))
            .setRootPid(tree.root().pid())
            .setShellJob(outsideJob(tree, raw))
            .addAllOpenFiles(raw.files().openFiles(raw.references()))
            .addAllSharedMemories(raw.shared().images(raw.ids()))
            .addAllGhosts(raw.ghosts().images(raw.ids()))
            .addAllControlGroupSets(raw.controlGroups().images())
            .setDumperControlGroupSet(raw.controlGroups().own());
    for (FrozenProcess process : tree.processes()) {
      ProcessReading reading = raw.readings().get(process.pid());
      image.addProcesses(
          reading == null
              ? ProcessImages.zombie(process)
              : ProcessImages.live(
                  reading, parts, raw.ids().addressSpace(process.pid()), raw.files().descriptors(process.pid())));
    }
    refuse(refusals, raw.ghosts());
    return image.build();
  }

  private static boolean outsideJob(FrozenTree tree, RawTree raw) {
    ProcessReading root = raw.readings().get(tree.root().pid());
    return root != null
        && !(pids(tree).contains(root.facts().stat().session()) && pids(tree).contains(root.facts().stat().processGroup()));
  }

  private static void refuse(List<Refusal> refusals, Ghosts ghosts) {
    if (!refusals.isEmpty()) {
      ghosts.removeLinks();
      throw new TreeRefused(refusals);
    }
  }
}
