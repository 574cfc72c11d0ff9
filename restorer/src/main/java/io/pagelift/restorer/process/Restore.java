package io.pagelift.restorer.process;

import io.pagelift.image.TreeImage;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.stub.SeedProcess;
import io.pagelift.linux.stub.StubRegion;
import io.pagelift.linux.stub.StubTask;
import io.pagelift.restorer.file.GhostFiles;
import io.pagelift.restorer.memory.MappedFiles;
import io.pagelift.restorer.memory.MemoryBuilder;
import io.pagelift.restorer.memory.PageCheck;
import io.pagelift.restorer.memory.SegmentFiles;
import io.pagelift.restorer.memory.SharedMemories;
import io.pagelift.restorer.plan.ControlGroupMode;
import io.pagelift.restorer.plan.ControlGroupPlan;
import io.pagelift.restorer.plan.CreationPlan;
import io.pagelift.restorer.plan.CreationStep;
import io.pagelift.restorer.plan.ImageChecks;
import io.pagelift.restorer.plan.PidChecks;
import io.pagelift.restorer.plan.StubAddress;
import io.pagelift.restorer.remote.RebuildFailure;
import io.pagelift.restorer.remote.RemoteCalls;
import io.pagelift.restorer.source.ImageSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The restore of one tree.
 *
 * <p>First everything that can be refused is refused; nothing exists until then. Then one thread creates and builds all
 * processes under ptrace with EXITKILL: whatever fails, also the death of the restorer, ends all of them. Only when the last one
 * is complete they are let go, in {@link Release}.
 */
public final class Restore implements AutoCloseable {
  private static final Duration SEED_BOUND = Duration.ofMinutes(1);
  private static final Duration END_BOUND = Duration.ofSeconds(10);
  private static final int MAX_SEEDS = 64;

  private final ImageSource source;
  private final TreeImage image;
  private final List<CreationStep> steps;
  private final StubRegion region;
  private final SharedMemories shared;
  private final SegmentFiles segments;
  private final MappedFiles mappedFiles;
  private final GhostFiles ghosts;
  private final OpenFiles files;
  private final PageCheck pageCheck;
  private final ControlGroupPlan controlGroups;
  private final List<StubTask> seeds = new ArrayList<>();
  private List<BuiltProcess> processes = List.of();

  private Restore(ImageSource source, TreeImage image, ControlGroupPlan controlGroups) {
    this.controlGroups = controlGroups;
    this.source = source;
    this.image = image;
    steps = CreationPlan.of(image);
    long length = StubRegion.DEFAULT_WORK_BYTES + 4096L + MemoryBuilder.SPARE_BYTES;
    region = StubRegion.at(StubAddress.choose(image, length));
    shared = new SharedMemories(image.getSharedMemoriesList(), source);
    segments = new SegmentFiles(source);
    ghosts = new GhostFiles(image.getGhostsList(), shared.contents()::fillExactly);
    mappedFiles = new MappedFiles(ghosts);
    files = new OpenFiles(image.getOpenFilesList(), shared, ghosts);
    pageCheck = new PageCheck(source);
  }

  /**
   * Checks an image and plans its restore; creates nothing.
   *
   * @throws io.pagelift.common.PageliftException REFUSED with what is missing or different here, and the remedy
   */
  public static Restore plan(ImageSource source, TreeImage image, ControlGroupMode controlGroups) {
    ImageChecks.check(image);
    return new Restore(source, image, new ControlGroupPlan(image, controlGroups));
  }

  /** What the user should be told before the tree is built. */
  public List<String> warnings() {
    return controlGroups.warnings().stream().map(group -> "Left out, because it is not here: " + group + ".").toList();
  }

  /** The image. */
  public TreeImage image() {
    return image;
  }

  /**
   * Builds the tree, stopped before its first instruction. The calling thread traces it: the same thread must call {@link
   * #run} or {@link #close}.
   */
  public void build() {
    TreeCreation creation = null;
    try {
      Phases phases = new Phases();
      ghosts.makeDirectories();
      files.rebuild();
      phases.done("open files made");
      StubTask seed = seed();
      creation = new TreeCreation(image, seed);
      processes = creation.create(steps);
      files.rebuildLate(new HelperProcesses(seed));
      processes.forEach(process -> controlGroups.enter(process.image()));
      phases.done("processes and threads created");
      MemoryBuilder memory =
          new MemoryBuilder(
              source, region, ProcessMaps.read(seed.tracee().pid()), shared, segments, mappedFiles, pageCheck);
      endSeeds();
      ProcessBuild build = new ProcessBuild(memory, new DescriptorsBuilder(files), ghosts);
      processes.forEach(build::build);
      ghosts.finish();
      phases.done("memory, descriptors and threads built");
      shared.finish();
      files.setOwners();
      pageCheck.await();
      phases.done("pages checked");
      processes.forEach(build::complete);
      if (files.watching()) {
        // Nobody may see these names go.
        ghosts.removeLinks();
      }
      files.arm();
      processes.forEach(build::startTimers);
      files.settle();
      files.close();
      processes.forEach(Release::prepare);
      phases.done("signals, rights, timers and registers set");
    } catch (RuntimeException e) {
      if (creation != null) {
        end(creation.tasks());
      }
      endSeeds();
      processes = List.of();
      throw e instanceof KernelException kernel ? RebuildFailure.of(kernel.pid(), "rebuild the tree", kernel) : e;
    }
  }

  /** A seed whose own process id is none that the image wants. */
  private StubTask seed() {
    Set<Integer> wanted = new HashSet<>(PidChecks.endedPids(image));
    image.getProcessesList().forEach(process -> {
      wanted.add(process.getPid());
      process.getThreadsList().forEach(thread -> wanted.add(thread.getTid()));
    });
    steps.forEach(step -> wanted.add(step.pid()));
    for (int i = 0; i < MAX_SEEDS; i++) {
      StubTask seed = SeedProcess.spawn(region, Deadline.in(SEED_BOUND));
      seeds.add(seed);
      if (!wanted.contains(seed.tracee().pid())) {
        // Those that took a wanted number end before it is needed.
        end(seeds.subList(0, seeds.size() - 1));
        // Also 0 to 2: a copy of the seed begins with an empty table.
        new RemoteCalls(seed).call("close all descriptors", SyscallNumbers.CLOSE_RANGE, 0, 0xffff_ffffL, 0);
        return seed;
      }
    }
    throw RebuildFailure.of(0, "spawn the seed", "all process ids that the kernel gave are in the image");
  }

  private void endSeeds() {
    end(seeds);
    seeds.clear();
  }

  /** Threads before their leaders, which the kernel reports last. */
  private static void end(List<StubTask> tasks) {
    List<StubTask> threadsFirst = new ArrayList<>(tasks);
    threadsFirst.sort(Comparator.comparing(task -> task.tracee().tid() == task.tracee().pid()));
    for (StubTask task : threadsFirst) {
      try {
        task.kill(Deadline.in(END_BOUND));
      } catch (KernelException e) {
        // Gone already: it was killed with its process, or by somebody else.
      }
    }
  }

  /** Lets the tree run. Must not be called twice. */
  public void run() {
    shared.keep();
    processes.forEach(Release::letGo);
    ghosts.removeLinks();
    processes = List.of();
  }

  /** Ends what was built and not let run, and closes everything. */
  @Override
  public void close() {
    List<StubTask> left = new ArrayList<>();
    processes.forEach(process -> process.threads().forEach(thread -> left.add(thread.task())));
    end(left);
    processes = List.of();
    endSeeds();
    pageCheck.close();
    files.close();
    ghosts.close();
    shared.close();
    segments.close();
    mappedFiles.close();
  }
}
