package io.pagelift.dumper.round;

import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.memory.PassResult;
import io.pagelift.dumper.memory.SpacePass;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.RoundWriter;
import java.util.List;

/**
 * One round over a running tree. For each address space: note that a scan begins, read the mappings, scan, read and send what was
 * written. Then commit, and note that.
 */
final class LiveRound {
  private final MigrationSession session;
  private final ObjectRegistry registry;
  private final TreeTracking tracking;
  private final SharedObjects sharedObjects;
  private final String token;
  private final String trackerName;

  LiveRound(
      MigrationSession session,
      ObjectRegistry registry,
      TreeTracking tracking,
      SharedObjects sharedObjects,
      String token,
      String trackerName) {
    this.session = session;
    this.registry = registry;
    this.tracking = tracking;
    this.sharedObjects = sharedObjects;
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
      for (TrackedProcess member : tracking.members()) {
        member.note(token, number, TrackingRecord.State.SCANNING);
        send(member, channel, stats);
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
