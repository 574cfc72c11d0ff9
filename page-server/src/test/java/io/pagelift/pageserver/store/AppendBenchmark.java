package io.pagelift.pageserver.store;

import io.pagelift.common.PageRun;
import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Measures the append path by hand: {@code AppendBenchmark DIRECTORY [MEBIBYTES] [ROUNDS]}, best with a directory on tmpfs.
 * Each turn stores unique pages, then the same pages again (all deduplicated against the disk), then zero pages, and verifies.
 */
final class AppendBenchmark {
  private static final int BATCH_BYTES = PageBatch.MAX_PAGES * StoreLayout.PAGE_BYTES;

  private AppendBenchmark() {}

  /** Runs the benchmark and prints GB (10^9 bytes) per second of processor time of its one thread. */
  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[0]).resolve("append-benchmark");
    int batches = args.length > 1 ? Integer.parseInt(args[1]) : 1024;
    int turns = args.length > 2 ? Integer.parseInt(args[2]) : 4;
    for (int turn = 1; turn <= turns; turn++) {
      try (DirectoryPageStore store = DirectoryPageStore.open(directory, StoreOptions.defaults(), PageHash.crc());
          MigrationLog migration = store.openMigration("benchmark", true)) {
        print(turn, "unique pages", batches, round(migration, batches, turn));
        print(turn, "same again", batches, round(migration, batches, turn));
        print(turn, "zero pages", batches, round(migration, batches, 0));
      }
      long begin = cpuNanos();
      long pages = StoreVerifier.verify(directory).pages();
      print(turn, "verify", (int) (pages / PageBatch.MAX_PAGES), cpuNanos() - begin);
      delete(directory);
    }
  }

  private static long round(MigrationLog migration, int batches, int seed) {
    ByteBuffer batch = ByteBuffer.allocateDirect(BATCH_BYTES);
    SplittableRandom random = new SplittableRandom(seed);
    for (int at = 0; seed != 0 && at < BATCH_BYTES; at += Long.BYTES) {
      batch.putLong(at, random.nextLong());
    }
    RoundInProgress round = migration.beginRound(migration.lastRound() + 1, "none", "token", 1);
    long nanos = 0;
    for (int i = 0; i < batches; i++) {
      for (int page = 0; seed != 0 && page < PageBatch.MAX_PAGES; page++) {
        batch.putLong(page * StoreLayout.PAGE_BYTES, (long) i << 32 | page);
      }
      long begin = cpuNanos();
      round.append(1, List.of(PageRun.data((long) i * PageBatch.MAX_PAGES, PageBatch.MAX_PAGES)), batch.clear());
      nanos += cpuNanos() - begin;
    }
    long begin = cpuNanos();
    round.commit(List.of(), false);
    return nanos + cpuNanos() - begin;
  }

  private static void print(int turn, String what, int batches, long nanos) {
    System.out.printf("turn %d  %-14s %6d MiB  %5.2f GB/s%n", turn, what, batches, (double) batches * BATCH_BYTES / nanos);
  }

  /** Processor time of this thread, user and kernel: a busy machine does not change it much. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void delete(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
