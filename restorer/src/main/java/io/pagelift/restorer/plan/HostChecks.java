package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.SourceHost;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.Feature;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelFeatures;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.arch.Architecture;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/** Whether this host's processor and kernel can carry on what began at the source. */
final class HostChecks {
  private static final List<Feature> NEEDED =
      List.of(
          Feature.PTRACE_SEIZE,
          Feature.CLONE3_SET_TID,
          Feature.PR_SET_MM_MAP,
          Feature.PIDFD_GETFD,
          Feature.CLOSE_RANGE,
          Feature.PROCESS_VM,
          Feature.PROC_MEM_WRITE,
          Feature.EXTENDED_STATE);

  private HostChecks() {}

  static void check(TreeImage image) {
    SourceHost host = image.getHost();
    String machine = Architecture.current().name();
    if (!host.getMachine().equals(machine)) {
      throw refused("The image is of a " + host.getMachine() + " machine, this one is " + machine + "; restore it on one like the source.");
    }
    KernelFeatures features = KernelFeatures.probe();
    NEEDED.forEach(feature -> need(features, feature));
    if (image.getSharedMemoriesList().stream().anyMatch(memory -> memory.getKind() == SharedMemory.Kind.ANONYMOUS)) {
      need(features, Feature.MAP_FILES);
    }
    processorState(image, features.extendedStateBytes());
    vdso(host);
  }

  private static void need(KernelFeatures features, Feature feature) {
    if (!features.has(feature)) {
      throw refused(
          "Rebuilding needs "
              + feature.title()
              + ", which does not work here ("
              + features.refusal(feature)
              + "); run the restorer as root on Linux 5.11 or newer.");
    }
  }

  private static void processorState(TreeImage image, int ownBytes) {
    for (ProcessImage process : image.getProcessesList()) {
      for (ThreadImage thread : process.getThreadsList()) {
        int bytes = thread.getExtendedState().size();
        if (bytes != 0 && bytes != ownBytes) {
          throw refused(
              "Process "
                  + process.getPid()
                  + " has "
                  + bytes
                  + " bytes of extended processor state, this machine has "
                  + ownBytes
                  + "; restore it on a machine with the same processor features.");
        }
      }
    }
  }

  private static void vdso(SourceHost host) {
    if (host.getVdsoSha256().isEmpty()) {
      return;
    }
    int own = Kernel.pid();
    for (MemoryMap map : ProcessMaps.read(own)) {
      if (map.path().equals("[vdso]")) {
        byte[] content = RemoteMemory.read(own, map.start(), (int) map.lengthBytes());
        if (MessageDigest.isEqual(sha256(content), host.getVdsoSha256().toByteArray())) {
          return;
        }
      }
    }
    throw refused(
        "The vdso of this kernel is not the one of the source's kernel ("
            + host.getKernelRelease()
            + "); boot the same kernel build.");
  }

  private static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  private static PageliftException refused(String message) {
    return new PageliftException(ErrorCategory.REFUSED, message);
  }
}
