package io.pagelift.pageserver.metrics;

import io.pagelift.pageserver.session.PageServer;
import io.pagelift.pageserver.session.SessionEvents;
import io.pagelift.wire.RoundResult;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.function.ToDoubleFunction;

/** What is counted. Names and units follow Prometheus' rules; none has a label that grows with migrations or clients. */
public final class ServerMetrics implements SessionEvents {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double[] COMMIT_SECONDS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Counter receivedBytes =
      Counter.builder().name("pagelift_received_bytes_total").help("Bytes of frames that sessions have taken.").register(registry);
  private final Counter rounds =
      Counter.builder()
          .name("pagelift_rounds_total")
          .help("Rounds that have ended: committed, or lost with their client or given up by it.")
          .labelNames("end")
          .register(registry);
  private final Counter pages =
      Counter.builder()
          .name("pagelift_pages_total")
          .help("Pages of committed rounds by what became of them.")
          .labelNames("kind")
          .register(registry);
  private final Counter storedBytes =
      Counter.builder().name("pagelift_stored_bytes_total").help("Bytes written to segments by committed rounds.").register(registry);
  private final Counter notLetIn =
      Counter.builder()
          .name("pagelift_not_let_in_total")
          .help("Connections that ended in the TLS handshake or had no place among the strangers.")
          .register(registry);
  private final Histogram commitSeconds =
      Histogram.builder()
          .name("pagelift_commit_seconds")
          .help("How long committing a round took: forcing data, index, manifest and directory.")
          .classicOnly()
          .classicUpperBounds(COMMIT_SECONDS)
          .register(registry);

  /** Adds what is asked of the running server when the figures are read. */
  public void watch(PageServer server) {
    gauge("pagelift_connections", "Open connections, strangers included.", server, PageServer::sessionCount);
    gauge("pagelift_strangers", "Connections whose HELLO has not been accepted yet.", server, PageServer::strangerCount);
    gauge("pagelift_open_rounds", "Rounds that are neither committed nor given up.", server, PageServer::openRoundCount);
    gauge("pagelift_queued_bytes", "Received bytes that wait for workers.", server, PageServer::queuedBytes);
  }

  private void gauge(String name, String help, PageServer server, ToDoubleFunction<PageServer> value) {
    GaugeWithCallback.builder().name(name).help(help).callback(sample -> sample.call(value.applyAsDouble(server))).register(registry);
  }

  PrometheusRegistry registry() {
    return registry;
  }

  @Override
  public void received(int lengthBytes) {
    receivedBytes.inc(lengthBytes);
  }

  @Override
  public void roundCommitted(RoundResult result, long nanos) {
    rounds.labelValues("committed").inc();
    pages.labelValues("stored").inc(result.pagesStored());
    pages.labelValues("zero").inc(result.pagesZero());
    pages.labelValues("dropped").inc(result.pagesDropped());
    pages.labelValues("deduplicated_same_round").inc(result.deduplicated().sameRound());
    pages.labelValues("deduplicated_earlier_round").inc(result.deduplicated().earlierRound());
    pages.labelValues("deduplicated_other_process").inc(result.deduplicated().otherProcess());
    pages.labelValues("deduplicated_other_migration").inc(result.deduplicated().otherMigration());
    storedBytes.inc(result.bytesStored());
    commitSeconds.observe(nanos / NANOS_PER_SECOND);
  }

  @Override
  public void roundLost() {
    rounds.labelValues("lost").inc();
  }

  @Override
  public void notLetIn() {
    notLetIn.inc();
  }
}
