package io.pagelift.tests.bench;

import io.pagelift.common.HostPort;
import io.pagelift.common.PageRun;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.ProcessFacts;
import io.pagelift.tests.harness.Workspace;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Many dumpers at one page-server beside one dumper that sends as much: throughput, the slowest one, the server's memory. Arguments:
 * number of dumpers, MiB of each.
 */
public final class SessionsMain {
  private static final ObjectInfo HEAP = ObjectInfo.newBuilder().setId(1).setKind(ObjectInfo.Kind.ADDRESS_SPACE).build();

  private SessionsMain() {}

  /** Prints two lines; fails when a dumper does not commit. */
  public static void main(String[] arguments) throws Exception {
    int dumpers = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 64;
    int mebibytes = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 64;
    measure(1, dumpers * mebibytes);
    measure(dumpers, mebibytes);
  }

  private static void measure(int dumpers, int mebibytes) throws InterruptedException, ExecutionException {
    try (Workspace workspace = Workspace.open("sessions")) {
      PageServer server = PageServer.start(workspace);
      ExecutorService threads = Executors.newFixedThreadPool(dumpers);
      try {
        long start = System.nanoTime();
        List<Future<Long>> ends = new ArrayList<>();
        for (int i = 0; i < dumpers; i++) {
          int dumper = i;
          ends.add(threads.submit(() -> dump(server, dumper, mebibytes)));
        }
        long first = Long.MAX_VALUE;
        long last = 0;
        for (Future<Long> end : ends) {
          first = Math.min(first, end.get() - start);
          last = Math.max(last, end.get() - start);
        }
        System.out.printf(
            Locale.ROOT,
            "%d dumpers of %d MiB: %.0f MB/s, first committed after %.1f s, last after %.1f s; page-server at most %d MiB resident%n",
            dumpers,
            mebibytes,
            (double) dumpers * mebibytes * 1048.576e6 / last,
            first / 1e9,
            last / 1e9,
            ProcessFacts.peakResidentKibibytes(server.process().pid()) >> 10);
      } finally {
        threads.shutdownNow();
        server.stop();
      }
    }
  }

  private static long dump(PageServer server, int dumper, int mebibytes) {
    try (PageServerClient client = PageServerClient.connect(HostPort.parse(server.address()), ClientOptions.defaults("bench"));
        MigrationSession session = client.openForWriting("m" + dumper)) {
      RoundWriter round = session.beginRound("none", "bench");
      long word = dumper * 0x9E3779B97F4A7C15L;
      for (int i = 0; i < mebibytes; i++) {
        PageBatchBuffer buffer = round.acquire();
        ByteBuffer bytes = buffer.bytes();
        for (int at = 0; at < bytes.capacity(); at += 512) {
          word = word * 6364136223846793005L + 1442695040888963407L;
          bytes.putLong(at, word);
        }
        round.send(1, List.of(PageRun.data(256L * i, 256)), buffer);
      }
      round.commit(List.of(HEAP), false);
      return System.nanoTime();
    }
  }
}
