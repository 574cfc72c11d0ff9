package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ControlGroup;
import io.pagelift.image.ControlGroupSet;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.ProcMountInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which control groups, cgroups(7), the threads of a tree go to. The rule, for each hierarchy by itself: a thread that was in the
 * dumper's own group gets the restorer's own; any other goes to the group with the path that it had. Groups are not made.
 */
public final class ControlGroupPlan {
  private static final int WARNINGS = 10;

  private final TreeImage image;
  private final ControlGroupMode mode;
  private final Map<String, Mounted> mounts = new HashMap<>();
  private final Map<Integer, List<Target>> targets = new HashMap<>();
  private final Set<String> missing = new HashSet<>();

  private record Mounted(Path mountPoint, String root, boolean unified) {}

  private record Target(Path directory, boolean unified) {}

  /**
   * Finds the groups; changes nothing.
   *
   * @throws PageliftException REFUSED for a group that is missing here or frozen, unless the mode says otherwise
   */
  public ControlGroupPlan(TreeImage image, ControlGroupMode mode) {
    this.image = image;
    this.mode = mode;
    if (mode != ControlGroupMode.IGNORE) {
      ProcMountInfo.read(Kernel.pid()).forEach(this::mount);
      for (ProcessImage process : image.getProcessesList()) {
        for (ThreadImage thread : process.getThreadsList()) {
          resolve(process.getPid(), thread.getControlGroupSet());
        }
      }
    }
  }

  private void mount(ProcMountInfo.Mount mount) {
    if (mount.type().equals("cgroup2")) {
      mounts.putIfAbsent("", new Mounted(Path.of(mount.mountPoint()), mount.root(), true));
    } else if (mount.type().equals("cgroup")) {
      // The options of the file system name the controllers, and the hierarchy's own name.
      for (String option : mount.superOptions().split(",", -1)) {
        mounts.putIfAbsent(option, new Mounted(Path.of(mount.mountPoint()), mount.root(), false));
      }
    }
  }

  private void resolve(int pid, int setId) {
    if (setId == 0 || targets.containsKey(setId)) {
      return;
    }
    Map<String, String> dumpers = paths(image.getDumperControlGroupSet());
    Map<String, String> own = new HashMap<>();
    for (String line : ProcFile.lines("/proc/self/cgroup")) {
      String[] fields = line.split(":", 3);
      own.put(fields[1], fields[2]);
    }
    List<Target> found = new ArrayList<>();
    paths(setId)
        .forEach(
            (hierarchy, path) -> {
              if (!path.equals(dumpers.get(hierarchy)) && !path.equals(own.get(hierarchy))) {
                add(pid, hierarchy, path, found);
              }
            });
    targets.put(setId, found);
  }

  private Map<String, String> paths(int setId) {
    Map<String, String> paths = new HashMap<>();
    for (ControlGroupSet set : image.getControlGroupSetsList()) {
      if (set.getId() == setId) {
        for (ControlGroup group : set.getGroupsList()) {
          paths.put(group.getHierarchy(), group.getPath());
        }
      }
    }
    return paths;
  }

  private void add(int pid, String hierarchy, String path, List<Target> found) {
    Mounted mounted = mounts.get(hierarchy.split(",", -1)[0]);
    boolean visible = mounted != null && (mounted.root.equals("/") || path.startsWith(mounted.root));
    Path directory =
        visible && !path.contains("/../") ? Path.of(mounted.mountPoint + path.substring(mounted.root.equals("/") ? 0 : mounted.root.length())) : null;
    if (directory == null || !Files.isDirectory(directory)) {
      String what = "control group " + path + " of " + name(hierarchy);
      missing.add(what);
      if (mode == ControlGroupMode.STRICT) {
        throw refused(
            "Process " + pid + " was in " + what + ", which is not here; make it, or restore with --cgroups=soft, which puts the"
                + " process into the restorer's own.");
      }
    } else if (frozen(directory)) {
      throw refused(
          "Process " + pid + " was in control group " + path + " of " + name(hierarchy)
              + ", which is frozen here; thaw it, or restore with --cgroups=ignore.");
    } else {
      found.add(new Target(directory, mounted.unified));
    }
  }

  private static String name(String hierarchy) {
    return hierarchy.isEmpty() ? "the unified hierarchy" : "hierarchy " + hierarchy;
  }

  private static boolean frozen(Path directory) {
    return value(directory.resolve("cgroup.freeze")).equals("1") || value(directory.resolve("freezer.state")).startsWith("FR");
  }

  private static String value(Path file) {
    return Files.exists(file) ? ProcFile.value(file.toString()) : "";
  }

  /** What the caller should tell: groups that are missing and were left out. */
  public List<String> warnings() {
    return missing.stream().sorted().limit(WARNINGS).toList();
  }

  /** Puts a process that was just created into its groups, and threads into theirs where they differ. */
  public void enter(ProcessImage process) {
    int leaders = process.getThreads(0).getControlGroupSet();
    for (Target target : targets.getOrDefault(leaders, List.of())) {
      write(target.directory.resolve("cgroup.procs"), process.getPid());
    }
    for (ThreadImage thread : process.getThreadsList()) {
      if (thread.getControlGroupSet() != leaders) {
        for (Target target : targets.getOrDefault(thread.getControlGroupSet(), List.of())) {
          write(target.directory.resolve(target.unified ? "cgroup.threads" : "tasks"), thread.getTid());
        }
      }
    }
  }

  private static void write(Path file, int id) {
    try {
      ProcFile.write(file.toString(), Integer.toString(id));
    } catch (KernelException e) {
      throw refused(
          "Task " + id + " cannot be put into the control group of " + file + " (" + e.errnoName()
              + "); look at the group's limits, or restore with --cgroups=ignore.");
    }
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
