package io.pagelift.dumper.stats;

import io.pagelift.dumper.memory.PassResult;
import io.pagelift.wire.DeduplicatedPages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.Durability;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The figures of one round, filled while it runs. Times are nanoseconds here and microseconds in the file; pages are 4096 bytes.
 *
 * <p>Not thread-safe.
 */
public final class RoundStats {
  private final long startNanos = System.nanoTime();
  private final int round;
  private final String tracker;
  private final boolean complete;
  private final List<Integer> exitedPids = new ArrayList<>();
  private long freezingNanos;
  private long frozenNanos;
  private long scanNanos;
  private long readNanos;
  private long sharedNanos;
  private long collectNanos;
  private long imageNanos;
  private long commitNanos;
  private long endNanos;
  private int processCount;
  private int frozenProcessCount;
  private long mappingCount;
  private long scannedPages;
  private long skippedPages;
  private long dataPages;
  private long zeroPages;
  private long droppedPages;
  private long unreadPages;
  private long sharedScannedPages;
  private long sharedSkippedPages;
  private long sharedWrittenPages;
  private long bytesSent;
  private long pipeCount;
  private long pipeBytes;
  private RoundResult result = new RoundResult(0, 0, 0, 0, DeduplicatedPages.NONE, 0, Durability.FULL);

  /**
   * Begins the clock of a round.
   *
   * @param complete whether it is the last one, which carries the tree image
   */
  public RoundStats(int round, String tracker, boolean complete) {
    this.round = round;
    this.tracker = tracker;
    this.complete = complete;
  }

  /** Adds a freeze: how long stopping took, and how long the tree stood still in all (that included). */
  public void frozen(int processes, long freezing, long frozen) {
    frozenProcessCount += processes;
    freezingNanos += freezing;
    frozenNanos += frozen;
  }

  /** Adds one address space. */
  public void pass(int pid, int mappings, PassResult pass) {
    mappingCount += mappings;
    scannedPages += pass.scannedPages();
    skippedPages += pass.skippedPages();
    dataPages += pass.dataPages();
    zeroPages += pass.zeroPages();
    droppedPages += pass.droppedPages();
    unreadPages += pass.unreadPages();
    scanNanos += pass.scanNanos();
    readNanos += pass.readNanos();
    if (pass.processGone()) {
      exited(pid);
    }
  }

  /** Adds shared objects. */
  public void shared(long scanned, long skipped, long written, long nanos) {
    sharedScannedPages += scanned;
    sharedSkippedPages += skipped;
    sharedWrittenPages += written;
    sharedNanos += nanos;
  }

  /** Adds the state of the frozen tree: time for reading it, and for making and sending the image. */
  public void image(long collecting, long making) {
    collectNanos += collecting;
    imageNanos += making;
  }

  /** Adds pipes of splice mode and the memory that they pinned. */
  public void pipes(long count, long bytes) {
    pipeCount += count;
    pipeBytes += bytes;
  }

  /** Records that a process exited during the round. */
  public void exited(int pid) {
    if (!exitedPids.contains(pid)) {
      exitedPids.add(pid);
    }
  }

  /** How many processes the tree had. */
  public void processes(int count) {
    processCount = count;
  }

  /** Ends the clock. */
  public void committed(RoundResult committed, long payloadBytes, long nanos) {
    result = committed;
    bytesSent = payloadBytes;
    commitNanos = nanos;
    endNanos = System.nanoTime();
  }

  /** Number of the round. */
  public int round() {
    return round;
  }

  /** How long the tree, or a part of it, stood still. */
  public long frozenNanos() {
    return frozenNanos;
  }

  /** Processes that exited during the round. */
  public List<Integer> exitedPids() {
    return List.copyOf(exitedPids);
  }

  /** Pages of all kinds that were sent with their contents. */
  public long sentPages() {
    return dataPages + sharedWrittenPages;
  }

  /** What the pipes of splice mode took. */
  public String pipeLine() {
    return String.format(
        java.util.Locale.ROOT, "%d pipes pinned %.1f MiB of the tree's pages", pipeCount, pipeBytes / (double) (1 << 20));
  }

  /** The round as one JSON object. */
  public String json() {
    JsonObject json = new JsonObject();
    json.put("round", round).put("tracker", tracker).put("complete", complete);
    json.put("freezing_time", micros(freezingNanos)).put("frozen_time", micros(frozenNanos));
    json.put("memdump_time", micros(scanNanos + readNanos + sharedNanos)).put("memwrite_time", micros(commitNanos));
    json.put("scan_time", micros(scanNanos)).put("read_time", micros(readNanos)).put("shared_time", micros(sharedNanos));
    json.put("collect_time", micros(collectNanos)).put("image_time", micros(imageNanos));
    json.put("round_time", micros(endNanos - startNanos));
    json.put("processes", processCount).put("processes_frozen", frozenProcessCount).put("mappings", mappingCount);
    json.put("pages_scanned", scannedPages).put("pages_skipped_parent", skippedPages);
    json.put("pages_written", dataPages).put("pages_zero", zeroPages).put("pages_dropped", droppedPages);
    json.put("pages_unread", unreadPages).put("pages_lazy", 0);
    json.put("shpages_scanned", sharedScannedPages).put("shpages_skipped_parent", sharedSkippedPages);
    json.put("shpages_written", sharedWrittenPages);
    json.put("page_pipes", pipeCount).put("page_pipe_bytes", pipeBytes);
    DeduplicatedPages deduplicated = result.deduplicated();
    json.put("pages_stored", result.pagesStored()).put("pages_deduplicated_round", deduplicated.sameRound());
    json.put("pages_deduplicated_earlier", deduplicated.earlierRound());
    json.put("pages_deduplicated_process", deduplicated.otherProcess());
    json.put("pages_deduplicated_migration", deduplicated.otherMigration());
    json.put("bytes_sent", bytesSent).put("bytes_stored", result.bytesStored());
    json.put("durability", result.durability().name().toLowerCase(java.util.Locale.ROOT));
    json.put("exited_pids", exitedPids);
    return json.toString();
  }

  /** The round as one line under {@link RoundTable#HEADER}. */
  public String tableLine() {
    double seconds = Math.max(1, endNanos - startNanos) / 1e9;
    double mebibytes = bytesSent / (double) (1 << 20);
    return String.format(
        java.util.Locale.ROOT,
        RoundTable.FORMAT,
        (complete ? "final " : "") + round,
        tracker,
        millis(frozenNanos),
        Long.toString(scannedPages + sharedScannedPages),
        Long.toString(sentPages()),
        Long.toString(skippedPages + sharedSkippedPages),
        Long.toString(result.pagesZero()),
        Long.toString(droppedPages),
        Long.toString(result.deduplicated().total()),
        String.format(java.util.Locale.ROOT, "%.1f", mebibytes),
        millis(endNanos - startNanos),
        String.format(java.util.Locale.ROOT, "%.0f", mebibytes / seconds));
  }

  private static String millis(long nanos) {
    return String.format(java.util.Locale.ROOT, "%.2f", nanos / 1e6);
  }

  private static long micros(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(nanos);
  }
}
