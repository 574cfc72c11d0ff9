package io.pagelift.dumper.process;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.MemoryMapDetail;
import io.pagelift.linux.ProcessMaps;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The flags of all mappings of a frozen tree, which only {@code smaps} tells, and the guard regions in them.
 *
 * <p>The kernel walks all page tables for both: tens of milliseconds for each GiB, which nobody needs here but nobody
 * can avoid. So it is read beside the pages, on a thread of its own, while the tree stands still anyway.
 */
public final class MappingDetails {
  private static final long BOUND_SECONDS = 120;

  private final CompletableFuture<Map<Integer, Raw>> texts = new CompletableFuture<>();

  private static final class Raw {
    private final byte[] smaps;
    private final GuardRegions guards;

    Raw(byte[] smaps, GuardRegions guards) {
      this.smaps = smaps;
      this.guards = guards;
    }
  }

  private MappingDetails() {}

  /** Starts to read; the tree must stay frozen until {@link #of} has answered. */
  public static MappingDetails start(List<Integer> pids) {
    MappingDetails details = new MappingDetails();
    Thread thread = new Thread(() -> details.read(pids), "pagelift-smaps");
    thread.setDaemon(true);
    thread.start();
    return details;
  }

  private void read(List<Integer> pids) {
    try (RawReader reader = new RawReader()) {
      Map<Integer, Raw> read = new HashMap<>();
      for (int pid : pids) {
        byte[] text = reader.file("/proc/" + pid + "/smaps");
        read.put(pid, new Raw(text == null ? new byte[0] : text, GuardRegions.read(pid)));
      }
      texts.complete(read);
    } catch (RuntimeException failure) {
      texts.completeExceptionally(failure);
    }
  }

  /**
   * The mappings of a process with their flags; waits for the reading to end.
   *
   * @param expected its mappings as the freeze found them
   * @throws PageliftException INTERNAL when these are not the same mappings
   */
  List<MemoryMapDetail> of(int pid, List<MemoryMap> expected) {
    List<MemoryMapDetail> details = ProcessMaps.parseDetails(raw(pid).smaps);
    if (!details.stream().map(MemoryMapDetail::map).toList().equals(expected)) {
      throw new PageliftException(
          ErrorCategory.INTERNAL, "The mappings of process " + pid + " changed although it was frozen; dump again.");
    }
    return details;
  }

  /** The guard regions of a process; waits as well. */
  GuardRegions guards(int pid) {
    return raw(pid).guards;
  }

  private Raw raw(int pid) {
    Raw raw = texts().get(pid);
    if (raw == null) {
      throw new IllegalArgumentException("process " + pid + " was not read");
    }
    return raw;
  }

  private Map<Integer, Raw> texts() {
    try {
      return texts.get(BOUND_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED, "Reading smaps took more than " + BOUND_SECONDS + " s; dump again.", e);
    } catch (ExecutionException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "Reading smaps failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while smaps was read.", e);
    }
  }
}
