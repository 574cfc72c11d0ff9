package io.pagelift.dumper.process;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.image.ControlGroup;
import io.pagelift.image.ControlGroupSet;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Which control groups, cgroups(7), the threads of a tree are in, and this program itself.
 *
 * <p>It is one file for each thread, so it is read beside the pages, on a thread of its own, while the tree stands still.
 */
public final class ControlGroups {
  private static final long BOUND_SECONDS = 120;

  private final CompletableFuture<Map<Integer, Integer>> idByThread = new CompletableFuture<>();
  private final Map<String, Integer> idByText = new LinkedHashMap<>();
  private final Map<Integer, Integer> ids = new HashMap<>();

  private ControlGroups() {}

  /** Starts to read; the threads must live until {@link #of} has answered. */
  public static ControlGroups start(Collection<Integer> tids) {
    ControlGroups groups = new ControlGroups();
    List<Integer> all = List.copyOf(tids);
    Thread thread = new Thread(() -> groups.read(all), "pagelift-cgroups");
    thread.setDaemon(true);
    thread.start();
    return groups;
  }

  private void read(List<Integer> tids) {
    try (RawReader reader = new RawReader()) {
      ids.put(0, id(reader.text("/proc/self/cgroup")));
      for (int tid : tids) {
        // /proc finds threads by their own number too.
        ids.put(tid, id(reader.text("/proc/" + tid + "/cgroup")));
      }
      idByThread.complete(ids);
    } catch (RuntimeException failure) {
      idByThread.completeExceptionally(failure);
    }
  }

  private int id(String text) {
    return text.isEmpty() ? 0 : idByText.computeIfAbsent(text, key -> idByText.size() + 1);
  }

  /** The set of a thread; 0 on a kernel without control groups. */
  public int of(int tid) {
    return threads().getOrDefault(tid, 0);
  }

  /** The set of this program. */
  public int own() {
    return of(0);
  }

  /** All sets. */
  public List<ControlGroupSet> images() {
    threads();
    List<ControlGroupSet> images = new ArrayList<>();
    idByText.forEach((text, id) -> images.add(image(text, id)));
    return images;
  }

  /** Lines of {@code 4:memory:/path}: number, controllers, path, which may have colons. */
  private static ControlGroupSet image(String text, int id) {
    ControlGroupSet.Builder set = ControlGroupSet.newBuilder().setId(id);
    for (String line : text.lines().toList()) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3) {
        set.addGroups(ControlGroup.newBuilder().setHierarchy(fields[1]).setPath(fields[2]));
      }
    }
    return set.build();
  }

  private Map<Integer, Integer> threads() {
    try {
      return idByThread.get(BOUND_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new PageliftException(
          ErrorCategory.EXHAUSTED, "Reading control groups took more than " + BOUND_SECONDS + " s; dump again.", e);
    } catch (ExecutionException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "Reading control groups failed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PageliftException(ErrorCategory.INTERNAL, "Interrupted while control groups were read.", e);
    }
  }
}
