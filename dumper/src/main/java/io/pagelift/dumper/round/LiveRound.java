package io.pagelift.dumper.round;

import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.memory.PageReader;
import io.pagelift.dumper.memory.PassResult;
import io.pagelift.dumper.memory.SpacePass;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.RoundWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One round over a running tree. For each address space: note that a scan begins, read the mappings, scan, read and send what was
 * written. Then commit, and note that.
 *
 * <p>With a tracker that cannot scan a running process (soft-dirty bits) the tree is frozen for the scans, and for them alone:
 * what they find is read and sent after it goes on.
 */
final class LiveRound {
  private static final Duration FREEZE_BOUND = Duration.ofSeconds(20);

  private final MigrationSession session;
  private final ObjectRegistry registry;
  private final TreeTracking tracking;
  private final SharedObjects sharedObjects;
  private final TracerThread tracer;
  private final String token;
  private final String trackerName;

  LiveRound(
      MigrationSession session,
      ObjectRegistry registry,
      TreeTracking tracking,
      SharedObjects sharedObjects,
      TracerThread tracer,
      String token,
      String trackerName) {
    this.session = session;
    this.registry = registry;
    this.tracking = tracking;
    this.sharedObjects = sharedObjects;
    this.tracer = tracer;
    this.token = token;
    this.trackerName = trackerName;
  }

  /** Runs the round; when it throws, nothing of it is held by the server and the records say that dirty bits may be lost. */
  RoundStats run() {
    int number = session.lastRound() + 1;
    RoundStats stats = new RoundStats(number, trackerName, false);
    tracking.refresh(stats);
    RoundWriter writer = session.beginRound(trackerName, token);
    try (RoundChannel channel = new RoundChannel(writer)) {
      if (tracking.scansFrozen()) {
        for (Scanned scanned : scanFrozen(channel, stats)) {
          send(scanned, channel, stats);
        }
      } else {
        for (TrackedProcess member : tracking.members()) {
          member.note(token, number, TrackingRecord.State.SCANNING);
          send(member, channel, stats);
        }
      }
      long commitStart = System.nanoTime();
      RoundResult result = writer.commit(registry.alive(), false);
      for (TrackedProcess member : tracking.members()) {
        member.note(token, number, TrackingRecord.State.COMMITTED);
      }
      stats.committed(result, writer.payloadBytesSent(), System.nanoTime() - commitStart);
      return stats;
    } catch (RuntimeException failure) {
      Aborts.abort(writer, failure);
      throw failure;
    }
  }

  /** What a scan in the freeze found of one address space. */
  private record Scanned(TrackedProcess member, List<MemoryMap> mappings, SpacePass pass, SpacePass.Decision decision) {}

  private List<Scanned> scanFrozen(PageChannel channel, RoundStats stats) {
    List<Scanned> all = new ArrayList<>();
    try (FrozenTree tree = FrozenTree.freeze(tracer, tracking.rootPid(), FREEZE_BOUND)) {
      for (TrackedProcess member : tracking.members()) {
        for (FrozenProcess process : tree.processes()) {
          if (process.pid() == member.pid() && !process.zombie()) {
            List<MemoryMap> mappings = ProcessMaps.parse(process.rawMaps());
            SpacePass pass = new SpacePass(member.space(), false, channel);
            all.add(new Scanned(member, mappings, pass, pass.decide(mappings, () -> mappings)));
          }
        }
      }
      tree.thaw();
      stats.frozen(
          tree.processes().size(),
          tree.times().completeNanos() - tree.times().beganNanos(),
          System.nanoTime() - tree.times().beganNanos());
    }
    return all;
  }

  private void send(Scanned scanned, PageChannel channel, RoundStats stats) {
    int pid = scanned.member().pid();
    try (PageReader reader = scanned.pass().reader(() -> mappings(pid))) {
      stats.pass(pid, scanned.mappings().size(), scanned.pass().send(scanned.decision(), reader));
    }
    sharedObjects.sendLive(pid, scanned.mappings(), channel, stats);
  }

  private void send(TrackedProcess member, PageChannel channel, RoundStats stats) {
    List<MemoryMap> mappings = mappings(member.pid());
    PassResult pass =
        new SpacePass(member.space(), false, channel).run(mappings, () -> mappings(member.pid()));
    stats.pass(member.pid(), mappings.size(), pass);
    sharedObjects.sendLive(member.pid(), mappings, channel, stats);
  }

  /** The mappings of a process now; none when it is gone. */
  static List<MemoryMap> mappings(int pid) {
    try {
      return ProcessMaps.read(pid);
    } catch (KernelException failure) {
      if (failure.processGone()) {
        return List.of();
      }
      throw failure;
    }
  }
}
