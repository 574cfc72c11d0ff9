package io.pagelift.dumper.round;

import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.memory.PageChannel;
import io.pagelift.dumper.memory.PassResult;
import io.pagelift.dumper.memory.SpacePass;
import io.pagelift.dumper.splice.PipeFiller;
import io.pagelift.dumper.splice.SplicedSource;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.PidFd;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.RoundWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One round in splice mode: the tree is frozen while its dirty pages are found and put into pipes by reference; it goes on while
 * the pipes are drained. How long it stands still depends on how much was written, and so does the memory that the pipes pin.
 */
final class SpliceRound {
  static final String TRACKER_SUFFIX = "+splice";
  private static final Duration FREEZE_BOUND = Duration.ofSeconds(20);
  private static final Duration FILL_BOUND = Duration.ofSeconds(60);

  private final MigrationSession session;
  private final ObjectRegistry registry;
  private final TreeTracking tracking;
  private final SharedObjects sharedObjects;
  private final TracerThread tracer;
  private final String token;
  private final String trackerName;

  SpliceRound(
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

  /** What was put into pipes of one address space, to be sent after the thaw. */
  private record Filled(
      TrackedProcess member, List<MemoryMap> mappings, SpacePass pass, SpacePass.Decision decision, SplicedSource source) {}

  /** Runs the round; a failure means what it means for {@link LiveRound}. */
  RoundStats run() {
    int number = session.lastRound() + 1;
    RoundStats stats = new RoundStats(number, trackerName, false);
    tracking.refresh(stats);
    RoundWriter writer = session.beginRound(trackerName, token);
    List<Filled> filled = new ArrayList<>();
    try (RoundChannel channel = new RoundChannel(writer)) {
      tracking.members().forEach(member -> member.note(token, number, TrackingRecord.State.SCANNING));
      freezeAndFill(channel, filled, stats);
      for (Filled one : filled) {
        PassResult pass = one.pass().send(one.decision(), one.source());
        stats.pass(one.member().pid(), one.mappings().size(), pass);
        sharedObjects.sendLive(one.member().pid(), one.mappings(), channel, stats);
      }
      long commitStart = System.nanoTime();
      RoundResult result = writer.commit(registry.alive(), false);
      tracking.members().forEach(member -> member.note(token, number, TrackingRecord.State.COMMITTED));
      stats.committed(result, writer.payloadBytesSent(), System.nanoTime() - commitStart);
      return stats;
    } catch (RuntimeException failure) {
      Aborts.abort(writer, failure);
      throw failure;
    } finally {
      filled.forEach(one -> one.source().close());
    }
  }

  private void freezeAndFill(PageChannel channel, List<Filled> filled, RoundStats stats) {
    int root = tracking.rootPid();
    try (FrozenTree tree = FrozenTree.freeze(tracer, root, FREEZE_BOUND)) {
      for (TrackedProcess member : tracking.members()) {
        for (FrozenProcess process : tree.processes()) {
          if (process.pid() == member.pid() && !process.zombie()) {
            filled.add(fill(member, process, channel, stats));
          }
        }
      }
      tree.thaw();
      stats.frozen(
          tree.processes().size(),
          tree.times().completeNanos() - tree.times().beganNanos(),
          System.nanoTime() - tree.times().beganNanos());
    }
  }

  private Filled fill(TrackedProcess member, FrozenProcess process, PageChannel channel, RoundStats stats) {
    List<MemoryMap> mappings = ProcessMaps.parse(process.rawMaps());
    SpacePass pass = new SpacePass(member.space(), false, channel);
    SpacePass.Decision decision = pass.decide(mappings, () -> mappings);
    PipeFiller filler = new PipeFiller();
    SplicedSource source =
        new SplicedSource(
            filler, pass.reader(() -> LiveRound.mappings(member.pid())), channel, member.space().objectId());
    try (PidFd pidFd = PidFd.open(member.pid())) {
      tracer.run(
          "fill pipes with pages of process " + member.pid(),
          FILL_BOUND,
          () -> filler.fill(process.leader(), pidFd, decision.wanted()));
    } catch (RuntimeException failure) {
      source.close();
      throw failure;
    }
    stats.pipes(filler.pipeCount(), filler.pinnedBytes());
    return new Filled(member, mappings, pass, decision, source);
  }
}
