package io.pagelift.pageserver.session;

import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.tls.TlsContext;
import io.pagelift.tls.TlsEngine;
import io.pagelift.tls.TlsFiles;
import io.pagelift.wire.ClientOptions;
import io.pagelift.wire.ClientTls;
import io.pagelift.wire.MigrationSession;
import io.pagelift.wire.PageBatchBuffer;
import io.pagelift.wire.PageServerClient;
import io.pagelift.wire.ReadingSession;
import io.pagelift.wire.RoundWriter;
import io.pagelift.wire.Transport;
import io.pagelift.wire.proto.ObjectInfo;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * How fast pages cross loopback, both ends in this JVM. Not a test: {@code java ... WireBenchmark MIB ROUNDS [STORE_DIRECTORY]}. Without
 * a directory the pages are dropped after the checksum, which leaves the wire alone. {@code java ... WireBenchmark MIB ROUNDS tls KEYS}
 * compares plain text and both TLS engines, with the keys of {@code page-server keygen --out KEYS --host 127.0.0.1 --client benchmark}.
 */
public final class WireBenchmark {
  private WireBenchmark() {}

  /** Prints MB/s and CPU seconds of each round. */
  public static void main(String[] arguments) {
    int mebibytes = Integer.parseInt(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    if (arguments.length == 4 && arguments[2].equals("tls")) {
      compareEngines(mebibytes, rounds, Path.of(arguments[3]));
      return;
    }
    boolean drop = arguments.length < 3;
    for (Transport transport : drop ? List.of(Transport.EPOLL, Transport.NIO) : List.of(Transport.best())) {
      try (PageStore store = drop ? new HeapStore(false) : PageStore.open(Path.of(arguments[2]));
          PageServer server =
              PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "benchmark").withTransport(transport));
          PageServerClient client =
              PageServerClient.connect(server.address(), ClientOptions.defaults("benchmark").withTransport(transport))) {
        try (MigrationSession session = client.openForWriting("benchmark")) {
          for (int i = 0; i < rounds; i++) {
            round(transport, session, mebibytes, i);
          }
        }
        if (!drop) {
          readBack(client, mebibytes);
        }
      }
    }
  }

  private static void compareEngines(int mebibytes, int rounds, Path keys) {
    encrypted(mebibytes, rounds, "plain", ServerOptions.defaults("127.0.0.1", 0, "b"), ClientOptions.defaults("b"));
    for (TlsEngine engine : TlsEngine.values()) {
      encrypted(
          mebibytes,
          rounds,
          engine.toString(),
          ServerOptions.defaults("127.0.0.1", 0, "b").withTls(context(keys.resolve("server"), engine)),
          ClientOptions.defaults("b").withTls(new ClientTls(context(keys.resolve("benchmark"), engine), null)));
    }
  }

  private static TlsContext context(Path keys, TlsEngine engine) {
    return TlsContext.open(
        new TlsFiles(keys.resolve("cert.pem"), keys.resolve("key.pem"), keys.resolve("ca.pem"), null, engine));
  }

  private static void encrypted(int mebibytes, int rounds, String name, ServerOptions serving, ClientOptions connecting) {
    try (PageServer server = PageServer.start(new HeapStore(false), serving);
        PageServerClient client = PageServerClient.connect(server.address(), connecting);
        MigrationSession session = client.openForWriting("benchmark")) {
      for (int i = 0; i < rounds; i++) {
        round(name, session, mebibytes, i);
      }
    }
  }

  private static void round(Object transport, MigrationSession session, int mebibytes, int number) {
    long cpu = cpuNanos();
    long start = System.nanoTime();
    RoundWriter writer = session.beginRound("none", "benchmark");
    long word = number * 0x9E3779B97F4A7C15L;
    for (int i = 0; i < mebibytes; i++) {
      PageBatchBuffer buffer = writer.acquire();
      ByteBuffer bytes = buffer.bytes();
      for (int at = 0; at < bytes.capacity(); at += 512) {
        word = word * 6364136223846793005L + 1442695040888963407L;
        bytes.putLong(at, word);
      }
      writer.send(1, List.of(PageRun.data(256L * i, 256)), buffer);
    }
    long sent = System.nanoTime();
    writer.commit(List.of(ObjectInfo.newBuilder().setId(1).build()), false);
    long end = System.nanoTime();
    System.out.printf(
        Locale.ROOT,
        "%s round %d: %d MiB, %.0f MB/s (commit %.0f ms), %.2f CPU-seconds per GB%n",
        transport,
        number + 1,
        mebibytes,
        mebibytes * 1048.576e6 / (end - start),
        (end - sent) / 1e6,
        (cpuNanos() - cpu) / (mebibytes * 1048576.0));
  }

  private static void readBack(PageServerClient client, int mebibytes) {
    try (ReadingSession session = client.openForReading("benchmark")) {
      long start = System.nanoTime();
      session.read(1, PageRuns.of(0, 256L * mebibytes), (first, count, bytes) -> {});
      System.out.printf(Locale.ROOT, "read back: %.0f MB/s%n", mebibytes * 1048.576e6 / (System.nanoTime() - start));
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class).getProcessCpuTime();
  }
}
