package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.freeze.FrozenProcess;
import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.memory.PassResult;
import io.pagelift.dumper.memory.SpacePass;
import io.pagelift.dumper.stats.RoundStats;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.dumper.tree.RawTree;
import io.pagelift.dumper.tree.TreeCollector;
import io.pagelift.image.TreeImage;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.RoundWriter;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The last round: freeze, collect the state, send what was written and what the server does not hold, commit; then the tree is
 * ended or let go.
 *
 * <p>Scans here re-arm nothing: when the round fails, the tree goes on, what was tracked stays tracked, and a later command can go
 * on from the last live round.
 */
final class FinalRound {
  private static final Duration FREEZE_BOUND = Duration.ofSeconds(20);
  private static final String IMAGE_NAME = "tree";

  private final MigrationSession session;
  private final ObjectRegistry registry;
  private final TreeTracking tracking;
  private final SharedObjects sharedObjects;
  private final TracerThread tracer;
  private final String token;
  private final String trackerName;
  private boolean handover;
  private long commitNanos;
  private @Nullable RawTree collected;

  /** What the last round did. */
  record Outcome(RoundStats stats, List<Integer> pids) {}

  FinalRound(
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

  /**
   * Runs the round.
   *
   * @param ending what becomes of the tree after the commit
   * @return the figures, and the processes that were in the tree
   */
  Outcome run(int rootPid, CollectOptions options, Ending ending) {
    Urgency.raise();
    int round = session.lastRound() + 1;
    RoundStats stats = new RoundStats(round, trackerName, true);
    handover = ending.handover();
    ending.prepare(round);
    RoundWriter writer = session.beginRound(trackerName, token);
    boolean committed = false;
    try (FrozenTree tree = FrozenTree.freezeForDump(tracer, rootPid, FREEZE_BOUND)) {
      List<Integer> pids = new ArrayList<>();
      tree.processes().forEach(process -> pids.add(process.pid()));
      RoundResult result = send(tree, options, writer, stats);
      committed = true;
      ending.end(tree, round);
      stats.frozen(pids.size(), tree.times().completeNanos() - tree.times().beganNanos(),
          System.nanoTime() - tree.times().beganNanos());
      stats.committed(result, writer.payloadBytesSent(), commitNanos);
      return new Outcome(stats, pids);
    } catch (RuntimeException failure) {
      if (!committed) {
        Aborts.abort(writer, failure);
      }
      if (collected != null) {
        // The tree goes on here: nobody will rebuild it from this image.
        collected.abandon();
      }
      throw failure;
    }
  }

  private RoundResult send(FrozenTree tree, CollectOptions options, RoundWriter writer, RoundStats stats) {
    Map<Integer, List<MemoryMap>> mappings = new HashMap<>();
    for (FrozenProcess process : tree.processes()) {
      if (!process.zombie()) {
        mappings.put(process.pid(), ProcessMaps.parse(process.rawMaps()));
      }
    }
    tracking.settle(withMemory(tree), stats);
    TreeCollector collector = new TreeCollector(options);
    long collectStart = System.nanoTime();
    RawTree raw = collector.collectFrozen(tree, registry);
    collected = raw;
    long collectNanos = System.nanoTime() - collectStart;
    try {
      return sendState(collector, raw, mappings, writer, stats, collectNanos);
    } finally {
      raw.close();
    }
  }

  private RoundResult sendState(
      TreeCollector collector,
      RawTree raw,
      Map<Integer, List<MemoryMap>> mappings,
      RoundWriter writer,
      RoundStats stats,
      long collectNanos) {
    sendPages(mappings, raw, writer, stats);
    long buildStart = System.nanoTime();
    TreeImage image = collector.build(raw).toBuilder().setHandover(handover).build();
    writer.image(IMAGE_NAME, ByteBuffer.wrap(image.toByteArray()));
    stats.image(collectNanos, System.nanoTime() - buildStart);
    long commitStart = System.nanoTime();
    RoundResult result = writer.commit(registry.alive(), true);
    commitNanos = System.nanoTime() - commitStart;
    return result;
  }

  private void sendPages(
      Map<Integer, List<MemoryMap>> mappings, RawTree raw, RoundWriter writer, RoundStats stats) {
    try (RoundChannel channel = new RoundChannel(writer)) {
      for (TrackedProcess member : tracking.members()) {
        List<MemoryMap> own = mappings.getOrDefault(member.pid(), List.of());
        PassResult pass = new SpacePass(member.space(), true, channel).run(own, () -> own);
        if (pass.unreadPages() > 0) {
          throw new PageliftException(
              ErrorCategory.REFUSED,
              pass.unreadPages() + " pages of process " + member.pid()
                  + " cannot be read although they are there (damaged memory or a device mapping); the tree runs on.");
        }
        stats.pass(member.pid(), own.size(), pass);
      }
      sharedObjects.sendFrozen(raw.sources(), channel, stats);
    }
  }

  private static List<Integer> withMemory(FrozenTree tree) {
    List<Integer> pids = new ArrayList<>();
    for (FrozenProcess process : tree.processes()) {
      if (!process.zombie()) {
        pids.add(process.pid());
      }
    }
    return pids;
  }
}
