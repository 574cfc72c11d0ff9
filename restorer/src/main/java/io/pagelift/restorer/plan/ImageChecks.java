package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.FileSystemState;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ResourceLimit;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.image.Vma;
import io.pagelift.linux.Capabilities;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFile;
import io.pagelift.restorer.file.FileChecks;
import io.pagelift.restorer.file.FileRebuilders;
import io.pagelift.restorer.file.GhostFiles;
import io.pagelift.restorer.file.PathText;
import io.pagelift.restorer.memory.MappedFiles;
import io.pagelift.restorer.memory.SharedMemories;
import java.util.HashSet;
import java.util.Set;

/** Everything that can be refused before anything is created: a restore that would fail half-way, or come out wrong. */
public final class ImageChecks {
  private static final int FORMAT_VERSION = 1;
  private static final int MAX_PROCESSES = 1 << 16;
  private static final String OOM_SCORE_ADJ = "/proc/self/oom_score_adj";

  private final TreeImage image;
  private final Set<Integer> openFileIds = new HashSet<>();
  private final Set<String> checkedPaths = new HashSet<>();

  private ImageChecks(TreeImage image) {
    this.image = image;
  }

  /**
   * Checks an image against itself and against this host.
   *
   * @throws PageliftException CORRUPT or REFUSED, with what is wrong and what to do
   */
  public static void check(TreeImage image) {
    if (image.getFormatVersion() != FORMAT_VERSION) {
      throw refused(
          "The image has format "
              + image.getFormatVersion()
              + ", this restorer reads format "
              + FORMAT_VERSION
              + "; use the restorer of the version that took it ("
              + image.getSoftware()
              + ").");
    }
    ImageChecks checks = new ImageChecks(image);
    checks.consistency();
    HostChecks.check(image);
    checks.files();
    checks.rights();
    PidChecks.check(image);
  }

  private void consistency() {
    Set<Integer> pids = new HashSet<>();
    if (image.getProcessesCount() == 0 || image.getProcessesCount() > MAX_PROCESSES) {
      throw corrupt("it has " + image.getProcessesCount() + " processes");
    }
    image.getOpenFilesList().forEach(file -> openFileIds.add(file.getId()));
    for (ProcessImage process : image.getProcessesList()) {
      boolean root = process.getPid() == image.getRootPid();
      if (!pids.add(process.getPid()) || process.getPid() < 2) {
        throw corrupt("process " + process.getPid() + " is in it twice or has no number");
      }
      if (!root && !pids.contains(process.getParentPid())) {
        throw corrupt("process " + process.getPid() + " comes before its parent");
      }
      consistency(process);
    }
    if (!pids.contains(image.getRootPid())) {
      throw corrupt("it does not have its root, process " + image.getRootPid());
    }
  }

  private void consistency(ProcessImage process) {
    if (process.getState() == ProcessImage.State.ZOMBIE) {
      return;
    }
    if (process.getThreadsCount() == 0 || process.getThreads(0).getTid() != process.getPid()) {
      throw corrupt("process " + process.getPid() + " does not begin with its first thread");
    }
    process.getDescriptorsList().stream()
        .filter(descriptor -> !openFileIds.contains(descriptor.getOpenFileId()))
        .findFirst()
        .ifPresent(
            descriptor -> {
              throw corrupt("fd " + descriptor.getFd() + " of process " + process.getPid() + " is open on nothing");
            });
    long last = 0;
    for (Vma vma : process.getAddressSpace().getVmasList()) {
      if (vma.getStart() < last || vma.getEnd() <= vma.getStart() || (vma.getStart() | vma.getEnd()) % 4096 != 0) {
        throw corrupt("the mappings of process " + process.getPid() + " are not in order");
      }
      last = vma.getEnd();
    }
  }

  private PageliftException corrupt(String what) {
    return new PageliftException(ErrorCategory.CORRUPT, "The tree image is damaged: " + what + "; dump again.");
  }

  private void files() {
    image.getGhostsList().forEach(GhostFiles::check);
    image.getSharedMemoriesList().forEach(SharedMemories::check);
    FileRebuilders rebuilders = new FileRebuilders();
    for (OpenFile file : image.getOpenFilesList()) {
      rebuilders.of(file).check(file);
    }
    for (ProcessImage process : image.getProcessesList()) {
      if (process.getState() != ProcessImage.State.ZOMBIE) {
        process.getAddressSpace().getVmasList().stream().filter(Vma::hasFile).forEach(this::mappedFile);
        program(process);
        FileSystemState fs = process.getFs();
        directory(process, fs.getCwdGhostId(), PathText.of(fs.getCwd()));
        directory(process, fs.getRootGhostId(), PathText.of(fs.getRoot()));
      }
    }
  }

  private void mappedFile(Vma vma) {
    if (checkedPaths.add(PathText.of(vma.getFile().getPath()))) {
      MappedFiles.check(vma.getFile());
    }
  }

  private static void program(ProcessImage process) {
    String path = PathText.of(process.getAddressSpace().getExePath());
    if (process.getAddressSpace().getExeGhostId() == 0 && !FileChecks.existing(path).isRegular()) {
      throw refused("The program " + path + " of process " + process.getPid() + " is not a file here; copy it from the source.");
    }
  }

  private static void directory(ProcessImage process, int ghostId, String path) {
    if (ghostId == 0 && !path.isEmpty() && !FileChecks.existing(path).isDirectory()) {
      throw refused(path + ", a directory of process " + process.getPid() + " at the source, is none here; make it.");
    }
  }

  private void rights() {
    Capabilities own = Capabilities.of(0);
    int ownAdjustment = Integer.parseInt(ProcFile.value(OOM_SCORE_ADJ));
    for (ProcessImage process : image.getProcessesList()) {
      if (process.getState() != ProcessImage.State.ZOMBIE && process.getControls().getOomScoreAdj() < ownAdjustment) {
        lowerAdjustment(process, ownAdjustment);
      }
      for (ResourceLimit limit : process.getLimitsList()) {
        hardLimit(own, process, limit);
      }
      for (ThreadImage thread : process.getThreadsList()) {
        long missing = thread.getCredentials().getCapPermitted() & ~own.permitted();
        if (missing != 0) {
          throw refused(
              "Thread "
                  + thread.getTid()
                  + " of process "
                  + process.getPid()
                  + " has capabilities that the restorer does not have (0x"
                  + Long.toHexString(missing)
                  + "); run the restorer with them.");
        }
      }
    }
  }

  /** Whether it may be lowered depends on who set it before: the kernel does not show that, so it is tried. */
  private static void lowerAdjustment(ProcessImage process, int ownAdjustment) {
    int wanted = process.getControls().getOomScoreAdj();
    try {
      ProcFile.write(OOM_SCORE_ADJ, Integer.toString(wanted));
      ProcFile.write(OOM_SCORE_ADJ, Integer.toString(ownAdjustment));
    } catch (KernelException e) {
      throw refused(
          "Process "
              + process.getPid()
              + " has oom_score_adj "
              + wanted
              + ", which the restorer, with "
              + ownAdjustment
              + ", may not go down to; give it CAP_SYS_RESOURCE or start it with that value.");
    }
  }

  private static void hardLimit(Capabilities own, ProcessImage process, ResourceLimit limit) {
    long hard = io.pagelift.linux.ResourceLimit.get(0, limit.getResource()).hard();
    if (Long.compareUnsigned(limit.getHard(), hard) > 0 && !own.has(Capabilities.SYS_RESOURCE)) {
      throw refused(
          "Process "
              + process.getPid()
              + " has a higher hard limit of resource "
              + limit.getResource()
              + " than the restorer, which may not raise it; raise the restorer's limit (ulimit) or give it CAP_SYS_RESOURCE.");
    }
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
