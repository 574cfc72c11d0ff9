package io.pagelift.dumper.round;

import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.memory.DirtyTracker;
import io.pagelift.dumper.memory.PageFilter;
import io.pagelift.dumper.memory.PageHashes;
import io.pagelift.dumper.memory.PresenceTracker;
import io.pagelift.dumper.memory.SoftDirtyTracker;
import io.pagelift.dumper.memory.TrackedSpace;
import io.pagelift.dumper.memory.WriteProtectTracker;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.UserFault;
import io.pagelift.linux.stub.TrackerHolder;
import io.pagelift.wire.MigrationSession;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The address spaces of a tree and their trackers, kept up to date as processes come and go.
 *
 * <p>A process that is new gets its tracker before it is scanned for the first time, and is frozen for that alone. Processes
 * that share an address space (vfork, CLONE_VM) count once.
 */
final class TreeTracking implements AutoCloseable {
  /** Hashes of up to 8 GiB of pages: a third of the heap that the start script gives. */
  private static final long HASH_LIMIT_BYTES = 32L << 20;

  private final int rootPid;
  private final TrackerKind kind;
  private final boolean pagemapScan;
  private final MigrationSession session;
  private final ObjectRegistry registry;
  private final Continuity continuity;
  private final UserFaultInjection injection;
  private final Messages messages;
  private final Map<Integer, TrackedProcess> members = new LinkedHashMap<>();

  TreeTracking(
      int rootPid,
      TrackerChoice choice,
      MigrationSession session,
      ObjectRegistry registry,
      Continuity continuity,
      UserFaultInjection injection,
      Messages messages) {
    this.rootPid = rootPid;
    this.kind = choice.kind();
    this.pagemapScan = choice.pagemapScan();
    this.session = session;
    this.registry = registry;
    this.continuity = continuity;
    this.injection = injection;
    this.messages = messages;
  }

  /** The root of the tree. */
  int rootPid() {
    return rootPid;
  }

  /** The address spaces that take part now. */
  List<TrackedProcess> members() {
    return List.copyOf(members.values());
  }

  /** Looks at the running tree again: forgets what has gone, begins to track what is new. */
  void refresh(RoundStats stats) {
    Map<Integer, Integer> groups = AddressSpaces.groups(TreeProcesses.withMemory(rootPid), members.keySet());
    forgetGone(groups, stats);
    Set<Integer> fresh = new LinkedHashSet<>(groups.values());
    fresh.removeAll(members.keySet());
    takeUp(fresh);
    if (kind == TrackerKind.UFFD_WP) {
      inject(fresh, stats);
    }
    for (int pid : fresh) {
      add(pid, untracked(pid), true, null, null);
    }
    bind(groups);
    stats.processes(groups.size());
  }

  /**
   * Prepares for the frozen pass: what is new since the last look needs no tracker any more, all of it is sent.
   *
   * @param frozenPids the processes of the frozen tree that have memory
   */
  void settle(List<Integer> frozenPids, RoundStats stats) {
    Map<Integer, Integer> groups = AddressSpaces.groups(frozenPids, members.keySet());
    forgetGone(groups, stats);
    Set<Integer> fresh = new LinkedHashSet<>(groups.values());
    fresh.removeAll(members.keySet());
    for (int pid : fresh) {
      add(pid, new PresenceTracker(pid, pagemapScan, PageFilter.SEND_ALL), true, null, null);
    }
    bind(groups);
    stats.processes(groups.size());
  }

  /** Whether a live round must freeze the tree to scan it. */
  boolean scansFrozen() {
    return kind == TrackerKind.SOFT_DIRTY;
  }

  /** The tracker of a process that has none: for soft-dirty bits the process itself needs nothing. */
  private DirtyTracker untracked(int pid) {
    return scansFrozen() ? new SoftDirtyTracker(pid, pagemapScan) : new PresenceTracker(pid, pagemapScan, hashes());
  }

  private PageFilter hashes() {
    return kind == TrackerKind.COMPARE ? new PageHashes(HASH_LIMIT_BYTES) : PageFilter.SEND_ALL;
  }

  private void forgetGone(Map<Integer, Integer> groups, RoundStats stats) {
    for (Iterator<TrackedProcess> all = members.values().iterator(); all.hasNext(); ) {
      TrackedProcess member = all.next();
      boolean represents = groups.containsValue(member.pid());
      boolean same = represents && ProcTree.exists(member.pid(), member.space().startTimeTicks());
      if (same && !member.space().tracker().lost()) {
        continue;
      }
      if (!same) {
        stats.exited(member.pid());
      }
      registry.forgetSpace(member.space().objectId());
      member.release();
      member.close();
      all.remove();
    }
  }

  /** Goes on with what holders have kept; removes those from {@code fresh}. */
  private void takeUp(Set<Integer> fresh) {
    for (int pid : List.copyOf(fresh)) {
      Optional<Continuity.Kept> found = continuity.take(pid);
      if (found.isEmpty()) {
        continue;
      }
      Continuity.Kept kept = found.get();
      if (kind != TrackerKind.UFFD_WP) {
        kept.holder().release();
        kept.record().close();
        kept.userFault().close();
        continue;
      }
      DirtyTracker tracker = new WriteProtectTracker(pid, kept.userFault(), !kept.unbroken());
      if (add(pid, tracker, !kept.unbroken(), kept.holder(), kept.record())) {
        fresh.remove(pid);
      }
    }
  }

  private void inject(Set<Integer> fresh, RoundStats stats) {
    Set<Integer> open = new LinkedHashSet<>(fresh);
    while (!open.isEmpty()) {
      int first = open.contains(rootPid) ? rootPid : open.iterator().next();
      open.remove(first);
      UserFaultInjection.Brought brought = freeze(first, open);
      if (brought == null) {
        fresh.remove(first);
        stats.exited(first);
        continue;
      }
      stats.frozen(brought.processCount(), brought.freezingNanos(), brought.frozenNanos());
      brought.failures().forEach((pid, why) -> messages.line(
          "Process " + pid + " cannot be tracked (" + why + "): all of it is sent in every round."));
      brought.userFaults().forEach(this::hold);
      fresh.removeAll(brought.userFaults().keySet());
      open.removeAll(brought.userFaults().keySet());
      open.removeAll(brought.failures().keySet());
    }
  }

  /** Freezes a new process and what is below it; null if it exited before that. */
  private UserFaultInjection.@Nullable Brought freeze(int pid, Set<Integer> others) {
    Set<Integer> wanted = new LinkedHashSet<>(others);
    wanted.add(pid);
    try {
      return injection.open(pid, wanted);
    } catch (PageliftException failure) {
      if (pid != rootPid && !TreeProcesses.withMemory(rootPid).contains(pid)) {
        return null;
      }
      throw failure;
    }
  }

  private void hold(int pid, FileDescriptor userFault) {
    FileDescriptor record = TrackingRecord.newFile();
    try {
      UserFault.api(userFault, WriteProtectTracker.features());
      TrackerHolder holder = TrackerHolder.spawn(pid, ProcTree.startTimeTicks(pid), List.of(record, userFault));
      continuity.lockNew(pid, record);
      add(pid, new WriteProtectTracker(pid, userFault, true), true, holder, record);
    } catch (KernelException failure) {
      record.close();
      userFault.close();
      if (!failure.processGone()) {
        throw failure;
      }
    }
  }

  private boolean add(
      int pid,
      DirtyTracker tracker,
      boolean anew,
      @Nullable TrackerHolder holder,
      @Nullable FileDescriptor record) {
    Optional<Long> start = startTime(pid);
    if (start.isEmpty()) {
      tracker.close();
      return false;
    }
    Optional<Long> earlier = anew ? Optional.empty() : registry.earlierSpace(pid, start.get());
    long objectId = earlier.orElseGet(() -> registry.newSpace(pid, start.get()));
    PageRuns held = earlier.isPresent() ? session.held(objectId) : PageRuns.empty();
    members.put(
        pid, new TrackedProcess(new TrackedSpace(pid, start.get(), objectId, tracker, held), holder, record));
    return true;
  }

  private static Optional<Long> startTime(int pid) {
    try {
      return Optional.of(ProcTree.startTimeTicks(pid));
    } catch (KernelException failure) {
      if (failure.processGone()) {
        return Optional.empty();
      }
      throw failure;
    }
  }

  private void bind(Map<Integer, Integer> groups) {
    groups.forEach(
        (pid, representative) -> {
          TrackedProcess member = members.get(representative);
          if (member != null) {
            registry.bind(pid, member.space().objectId());
          }
        });
  }

  /** Ends all tracking: the tree is gone or will not be followed any more. */
  void release() {
    members.values().forEach(TrackedProcess::release);
  }

  @Override
  public void close() {
    members.values().forEach(TrackedProcess::close);
    members.clear();
  }
}
