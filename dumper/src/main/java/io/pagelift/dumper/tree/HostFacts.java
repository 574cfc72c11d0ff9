package io.pagelift.dumper.tree;

import com.google.protobuf.ByteString;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.freeze.FreezeTimes;
import io.pagelift.dumper.process.ProcessReading;
import io.pagelift.dumper.thread.ThreadReading;
import io.pagelift.image.SourceHost;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.arch.Architecture;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;

/** What the restorer compares before it rebuilds anything. */
final class HostFacts {
  private HostFacts() {}

  static SourceHost of(FreezeTimes times, Collection<ProcessReading> readings) {
    SourceHost.Builder host =
        SourceHost.newBuilder()
            .setMachine(Architecture.current().name())
            .setBootTimeUnixNanos(times.realtimeNanos() - times.boottimeNanos())
            .setMonotonicNanos(times.monotonicNanos())
            .setBoottimeNanos(times.boottimeNanos())
            .setVdsoSha256(ownVdso());
    try (RawReader reader = new RawReader()) {
      host.setKernelRelease(reader.text("/proc/sys/kernel/osrelease").strip())
          .setHostname(reader.text("/proc/sys/kernel/hostname").strip());
    }
    for (ProcessReading reading : readings) {
      for (ThreadReading thread : reading.threads()) {
        host.setXsaveBytes(thread.extendedStateBytes()).setXsaveFeatures(thread.extendedFeatures());
      }
    }
    return host.build();
  }

  /** How many processors run; the list in sysfs reads like {@code 0-3,6}. */
  static int onlineProcessors() {
    int count = 0;
    try (RawReader reader = new RawReader()) {
      for (String range : reader.text("/sys/devices/system/cpu/online").strip().split(",", -1)) {
        int dash = range.indexOf('-');
        count += dash < 0 ? 1 : Integer.parseInt(range.substring(dash + 1)) - Integer.parseInt(range.substring(0, dash)) + 1;
      }
    }
    return count;
  }

  /** The kernel gives all processes the same vdso. The target's may hold what is left of an injection; ours does not. */
  private static ByteString ownVdso() {
    for (MemoryMap map : ProcessMaps.read(Kernel.pid())) {
      if (map.path().equals("[vdso]")) {
        byte[] content = RemoteMemory.read(Kernel.pid(), map.start(), (int) map.lengthBytes());
        try {
          return ByteString.copyFrom(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
          throw new IllegalStateException("every JVM has SHA-256", e);
        }
      }
    }
    return ByteString.EMPTY;
  }
}
