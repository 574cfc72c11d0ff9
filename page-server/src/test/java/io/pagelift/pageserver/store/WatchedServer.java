package io.pagelift.pageserver.store;

import io.pagelift.pageserver.session.PageServer;
import io.pagelift.pageserver.session.ServerOptions;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** The page-server as a process of its own that stands still at a step of its store, there to be killed. */
final class WatchedServer {
  private WatchedServer() {}

  /** {@code WatchedServer DIRECTORY [STEP TIMES]}: says where it listens; stands still when a step is reached so many times. */
  public static void main(String[] args) throws InterruptedException {
    CountDownLatch forever = new CountDownLatch(1);
    AtomicInteger left = new AtomicInteger(args.length > 1 ? Integer.parseInt(args[2]) : 0);
    StoreStep.Watch watch =
        step -> {
          if (args.length > 1 && step.name().equals(args[1]) && left.decrementAndGet() == 0) {
            System.out.println("at " + step);
            hold(forever);
          }
        };
    try (PageStore store = DirectoryPageStore.open(Path.of(args[0]), Stores.SMALL, PageHash.crc(), watch);
        PageServer server = PageServer.start(store, ServerOptions.defaults("127.0.0.1", 0, "watched"))) {
      System.out.println("listening on " + server.address());
      forever.await();
    }
  }

  private static void hold(CountDownLatch forever) {
    try {
      forever.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
