package io.pagelift.pageserver.session;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PagePlace;
import io.pagelift.common.PageRun;
import io.pagelift.common.PageRuns;
import io.pagelift.common.PageliftException;
import io.pagelift.pageserver.store.HandoverFiles;
import io.pagelift.pageserver.store.MigrationLog;
import io.pagelift.pageserver.store.MigrationReader;
import io.pagelift.pageserver.store.PageStore;
import io.pagelift.pageserver.store.Reclaimed;
import io.pagelift.pageserver.store.RoundInProgress;
import io.pagelift.wire.DeduplicatedPages;
import io.pagelift.wire.RoundResult;
import io.pagelift.wire.proto.Durability;
import io.pagelift.wire.proto.MigrationInfo;
import io.pagelift.wire.proto.ObjectInfo;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/** The smallest page store that keeps the interface's promises, for tests of sessions: pages in a map, a gate that can be shut. */
final class HeapStore implements PageStore {
  /** Every append takes a permit, so that a test can let the store stand still. */
  final Semaphore gate = new Semaphore(Integer.MAX_VALUE);

  /** What the next append throws, once. */
  final AtomicReference<RuntimeException> nextFailure = new AtomicReference<>();

  private final Map<String, Migration> migrations = new TreeMap<>();
  private final Set<String> writers = new HashSet<>();
  private final boolean keep;

  HeapStore(boolean keep) {
    this.keep = keep;
  }

  private static final class Migration {
    final Map<Long, TreeMap<Long, byte[]>> pages = new HashMap<>();
    final Map<String, byte[]> images = new HashMap<>();
    List<ObjectInfo> objects = List.of();
    int lastRound;
    long nextObjectId = 1;
    String token = "";
    boolean complete;
  }

  @Override
  public synchronized MigrationLog openMigration(String name, boolean create) {
    if (!create && !migrations.containsKey(name)) {
      throw new PageliftException(ErrorCategory.USAGE, "there is no migration '" + name + "'");
    }
    if (!writers.add(name)) {
      throw new PageliftException(ErrorCategory.REFUSED, "the migration '" + name + "' is being written by another session");
    }
    return new Log(name, migrations.computeIfAbsent(name, n -> new Migration()));
  }

  @Override
  public void remove(String name, boolean force) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Reclaimed reclaim() {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized MigrationReader readMigration(String name) {
    Migration migration = migrations.get(name);
    if (migration == null) {
      throw new PageliftException(ErrorCategory.USAGE, "there is no migration '" + name + "'");
    }
    return new Reader(name, migration);
  }

  @Override
  public synchronized List<MigrationInfo> list() {
    List<MigrationInfo> list = new ArrayList<>();
    migrations.forEach((name, m) -> list.add(MigrationInfo.newBuilder().setName(name).setRounds(m.lastRound).build()));
    return list;
  }

  @Override
  public HandoverFiles handovers() {
    throw new UnsupportedOperationException("decisions need a disk");
  }

  synchronized boolean hasWriter(String name) {
    return writers.contains(name);
  }

  private synchronized void closeWriter(String name) {
    writers.remove(name);
  }

  @Override
  public void close() {}

  private static PageRuns held(Migration migration, long objectId) {
    PageRuns.Builder held = new PageRuns.Builder();
    migration.pages.getOrDefault(objectId, new TreeMap<>()).keySet().forEach(page -> held.add(page, page + 1));
    return held.build();
  }

  private final class Log implements MigrationLog {
    private final String name;
    private final Migration migration;

    Log(String name, Migration migration) {
      this.name = name;
      this.migration = migration;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int lastRound() {
      return migration.lastRound;
    }

    @Override
    public String trackingToken() {
      return migration.token;
    }

    @Override
    public boolean complete() {
      return migration.complete;
    }

    @Override
    public long nextObjectId() {
      return migration.nextObjectId;
    }

    @Override
    public List<ObjectInfo> objects() {
      return migration.objects;
    }

    @Override
    public PageRuns held(long objectId) {
      return HeapStore.held(migration, objectId);
    }

    @Override
    public RoundInProgress beginRound(int round, String tracker, String trackingToken, long startedUnixNanos) {
      if (round != migration.lastRound + 1) {
        throw new PageliftException(
            ErrorCategory.USAGE, "round " + round + " of '" + name + "' cannot begin after round " + migration.lastRound);
      }
      return new Round(migration, round, trackingToken);
    }

    @Override
    public void close() {
      closeWriter(name);
    }
  }

  private final class Round implements RoundInProgress {
    private final Migration migration;
    private final int round;
    private final String token;
    private final List<Runnable> changes = new ArrayList<>();
    private final Map<String, byte[]> images = new HashMap<>();
    private long stored;
    private long zero;
    private long dropped;

    Round(Migration migration, int round, String token) {
      this.migration = migration;
      this.round = round;
      this.token = token;
    }

    @Override
    public void append(long objectId, List<PageRun> runs, ByteBuffer payload) {
      gate.acquireUninterruptibly();
      gate.release();
      RuntimeException failure = nextFailure.getAndSet(null);
      if (failure != null) {
        throw failure;
      }
      if (!payload.isDirect() && payload.hasRemaining()) {
        throw new AssertionError("payloads are direct");
      }
      for (PageRun run : runs) {
        for (long page = run.firstPage(); page < run.endPage(); page++) {
          take(objectId, page, run.kind(), payload);
        }
      }
    }

    private void take(long objectId, long page, PageRun.Kind kind, ByteBuffer payload) {
      byte[] bytes = new byte[keep ? PageRun.PAGE_BYTES : 0];
      switch (kind) {
        case DATA -> {
          stored++;
          if (keep) {
            payload.get(bytes);
          } else {
            payload.position(payload.position() + PageRun.PAGE_BYTES);
          }
        }
        case ZERO -> zero++;
        case DROP -> dropped++;
      }
      if (keep) {
        changes.add(() -> change(objectId, page, kind, bytes));
      }
    }

    private void change(long objectId, long page, PageRun.Kind kind, byte[] bytes) {
      TreeMap<Long, byte[]> pages = migration.pages.computeIfAbsent(objectId, id -> new TreeMap<>());
      if (kind == PageRun.Kind.DROP) {
        pages.remove(page);
      } else {
        pages.put(page, bytes);
      }
      migration.nextObjectId = Math.max(migration.nextObjectId, objectId + 1);
    }

    @Override
    public void putImagePart(String name, long offsetBytes, long totalBytes, ByteBuffer payload) {
      byte[] image = images.computeIfAbsent(name, n -> new byte[(int) totalBytes]);
      payload.get(image, (int) offsetBytes, payload.remaining());
    }

    @Override
    public RoundResult commit(List<ObjectInfo> objects, boolean complete) {
      changes.forEach(Runnable::run);
      migration.images.clear();
      migration.images.putAll(images);
      migration.objects = List.copyOf(objects);
      migration.lastRound = round;
      migration.token = token;
      migration.complete = complete;
      return new RoundResult(
          round, stored, zero, dropped, DeduplicatedPages.NONE, stored * PageRun.PAGE_BYTES, Durability.FULL);
    }

    @Override
    public void abort() {
      changes.clear();
    }
  }

  private static final class Reader implements MigrationReader {
    private final String name;
    private final Migration migration;

    Reader(String name, Migration migration) {
      this.name = name;
      this.migration = migration;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int lastRound() {
      return migration.lastRound;
    }

    @Override
    public String trackingToken() {
      return migration.token;
    }

    @Override
    public boolean complete() {
      return migration.complete;
    }

    @Override
    public long nextObjectId() {
      return migration.nextObjectId;
    }

    @Override
    public List<ObjectInfo> objects() {
      return migration.objects;
    }

    @Override
    public PageRuns held(long objectId) {
      return HeapStore.held(migration, objectId);
    }

    @Override
    public List<PagePlace> places(long objectId) {
      List<PagePlace> places = new ArrayList<>();
      held(objectId).forEach((first, end) -> places.add(new PagePlace(first, (int) (end - first), 1, first)));
      return places;
    }

    @Override
    public void readPages(long objectId, long firstPage, int pageCount, ByteBuffer into) {
      for (long page = firstPage; page < firstPage + pageCount; page++) {
        byte[] bytes = migration.pages.getOrDefault(objectId, new TreeMap<>()).get(page);
        if (bytes == null) {
          throw new PageliftException(ErrorCategory.USAGE, "page " + page + " of object " + objectId + " is not held");
        }
        into.put(bytes);
      }
    }

    @Override
    public long imageBytes(String image) {
      byte[] bytes = migration.images.get(image);
      if (bytes == null) {
        throw new PageliftException(ErrorCategory.USAGE, "there is no image '" + image + "' in '" + name + "'");
      }
      return bytes.length;
    }

    @Override
    public void readImage(String image, long offsetBytes, ByteBuffer into) {
      byte[] bytes = migration.images.get(image);
      into.put(Arrays.copyOfRange(bytes, (int) offsetBytes, (int) Math.min(bytes.length, offsetBytes + into.remaining())));
    }

    @Override
    public void close() {}
  }
}
