package io.pagelift.linux;

import static io.pagelift.linux.Constants.MADV_DONTNEED;
import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.MAP_SHARED;
import static io.pagelift.linux.PagemapScan.CHECK_WP_ASYNC;
import static io.pagelift.linux.PagemapScan.PRESENT;
import static io.pagelift.linux.PagemapScan.SWAPPED;
import static io.pagelift.linux.PagemapScan.WP_ALLOWED;
import static io.pagelift.linux.PagemapScan.WP_MATCHING;
import static io.pagelift.linux.PagemapScan.WRITTEN;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class PagemapScanTest {
  private static final PagemapScan.Query PRESENT_PAGES = new PagemapScan.Query(0, 0, PRESENT, 0, PRESENT);

  /** Holes count as written: only pages that are there are asked for. */
  private static final PagemapScan.Query PROTECT_WRITTEN =
      new PagemapScan.Query(WP_MATCHING | CHECK_WP_ASYNC, 0, WRITTEN, PRESENT | SWAPPED, WRITTEN);

  private static final PagemapScan.Query UNTRACKED =
      new PagemapScan.Query(0, WP_ALLOWED, WP_ALLOWED | WRITTEN | PRESENT, 0, PRESENT);

  private static FileDescriptor track(Mapping mapping) {
    FileDescriptor userFault = UserFault.create();
    UserFault.api(
        userFault,
        UserFault.FEATURE_WP_ASYNC | UserFault.FEATURE_WP_UNPOPULATED | UserFault.FEATURE_WP_HUGETLBFS_SHMEM);
    assertThat(UserFault.register(userFault, mapping.address(), mapping.lengthBytes())).isZero();
    return userFault;
  }

  private static List<Integer> pages(Mapping mapping, PagemapScan.Query query) {
    List<Integer> pages = new ArrayList<>();
    try (PagemapScan scan = PagemapScan.open(Kernel.pid())) {
      PagemapScan.Scan end =
          scan.scan(
              mapping.address(),
              mapping.end(),
              query,
              (start, regionEnd, categories) -> {
                for (long at = start; at < regionEnd; at += Kernel.PAGE_BYTES) {
                  pages.add((int) ((at - mapping.address()) / Kernel.PAGE_BYTES));
                }
              });
      assertThat(end.errno()).isZero();
      assertThat(end.endReached()).isEqualTo(mapping.end());
      assertThat(end.pageCount()).isEqualTo(pages.size());
    }
    return pages;
  }

  @Test
  void onlyTouchedPagesArePresent() {
    try (Mapping mapping = Mapping.anonymous(16).touch(3).touch(4).touch(15)) {
      assertThat(pages(mapping, PRESENT_PAGES)).containsExactly(3, 4, 15);
    }
  }

  @Test
  void aScanReportsWhatWasWrittenSinceTheLastOne() {
    try (Mapping mapping = Mapping.anonymous(32).touchAll();
        FileDescriptor userFault = track(mapping)) {
      assertThat(userFault.isOpen()).isTrue();
      assertThat(pages(mapping, PROTECT_WRITTEN)).hasSize(32);
      assertThat(pages(mapping, PROTECT_WRITTEN)).isEmpty();
      mapping.touch(7).touch(8).touch(31);
      assertThat(pages(mapping, PROTECT_WRITTEN)).containsExactly(7, 8, 31);
      assertThat(pages(mapping, PROTECT_WRITTEN)).isEmpty();
    }
  }

  @Test
  void aPageTouchedForTheFirstTimeCountsAsWritten() {
    try (Mapping mapping = Mapping.anonymous(8).touch(0);
        FileDescriptor userFault = track(mapping)) {
      assertThat(pages(mapping, PROTECT_WRITTEN)).containsExactly(0);
      mapping.touch(5);
      assertThat(pages(mapping, PROTECT_WRITTEN)).containsExactly(5);
      assertThat(userFault.isOpen()).isTrue();
    }
  }

  @Test
  void moreRegionsThanTheVectorHoldsLoseNothing() {
    int pageCount = 20_000;
    try (Mapping mapping = Mapping.anonymous(pageCount).touchAll();
        FileDescriptor userFault = track(mapping)) {
      assertThat(pages(mapping, PROTECT_WRITTEN)).hasSize(pageCount);
      List<Integer> expected = new ArrayList<>();
      for (int page = 1; page < pageCount; page += 2) {
        mapping.touch(page);
        expected.add(page);
      }
      assertThat(pages(mapping, PROTECT_WRITTEN)).isEqualTo(expected);
      assertThat(pages(mapping, PROTECT_WRITTEN)).isEmpty();
      assertThat(userFault.isOpen()).isTrue();
    }
  }

  @Test
  void sharedMemoryIsTrackedThroughItsOwnMapping() {
    try (Mapping mapping = Mapping.of(8, MAP_SHARED | MAP_ANONYMOUS, -1).touchAll();
        FileDescriptor userFault = track(mapping)) {
      assertThat(pages(mapping, PROTECT_WRITTEN)).hasSize(8);
      mapping.touch(2);
      assertThat(pages(mapping, PROTECT_WRITTEN)).containsExactly(2);
      assertThat(userFault.isOpen()).isTrue();
    }
  }

  @Test
  void aDroppedPageIsNotWrittenAndNoLongerPresent() {
    try (Mapping mapping = Mapping.anonymous(8).touchAll();
        FileDescriptor userFault = track(mapping)) {
      pages(mapping, PROTECT_WRITTEN);
      mapping.advise(3, 1, MADV_DONTNEED);
      assertThat(pages(mapping, PROTECT_WRITTEN)).isEmpty();
      assertThat(pages(mapping, PRESENT_PAGES)).doesNotContain(3).hasSize(7);
      assertThat(userFault.isOpen()).isTrue();
    }
  }

  @Test
  void anUnregisteredMappingIsEpermWhenAskedAndFoundAsUntracked() {
    try (Mapping mapping = Mapping.anonymous(4).touchAll();
        PagemapScan scan = PagemapScan.open(Kernel.pid())) {
      PagemapScan.Scan end =
          scan.scan(mapping.address(), mapping.end(), PROTECT_WRITTEN, (start, regionEnd, categories) -> {});
      assertThat(end.errno()).isEqualTo(Errno.EPERM);
      assertThat(pages(mapping, UNTRACKED)).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void aClosedUserFaultEndsTheTracking() {
    try (Mapping mapping = Mapping.anonymous(4).touchAll()) {
      FileDescriptor userFault = track(mapping);
      assertThat(pages(mapping, PROTECT_WRITTEN)).hasSize(4);
      userFault.close();
      try (PagemapScan scan = PagemapScan.open(Kernel.pid())) {
        PagemapScan.Scan end =
            scan.scan(mapping.address(), mapping.end(), PROTECT_WRITTEN, (start, regionEnd, categories) -> {});
        assertThat(end.errno()).isEqualTo(Errno.EPERM);
      }
    }
  }

  @Test
  void aMappingOnAnotherUserFaultIsBusyAndTheVdsoInvalid() {
    try (Mapping mapping = Mapping.anonymous(4);
        FileDescriptor first = track(mapping);
        FileDescriptor second = UserFault.create()) {
      UserFault.api(second, UserFault.FEATURE_WP_ASYNC);
      assertThat(UserFault.register(second, mapping.address(), mapping.lengthBytes())).isEqualTo(Errno.EBUSY);
      assertThat(UserFault.unregister(first, mapping.address(), mapping.lengthBytes())).isZero();
      assertThat(UserFault.register(second, mapping.address(), mapping.lengthBytes())).isZero();
      MemoryMap vdso =
          ProcessMaps.read(Kernel.pid()).stream().filter(map -> map.path().equals("[vdso]")).findFirst().orElseThrow();
      assertThat(UserFault.register(second, vdso.start(), vdso.lengthBytes())).isEqualTo(Errno.EINVAL);
    }
  }

  @Test
  void theScanOfAnEndedProcessEnds() {
    Child child = Child.sleeping();
    try (PagemapScan scan = PagemapScan.open(child.pid())) {
      MemoryMap map = ProcessMaps.read(child.pid()).get(0);
      child.close();
      PagemapScan.Scan end = scan.scan(map.start(), map.end(), PRESENT_PAGES, (start, regionEnd, categories) -> {});
      assertThat(end.errno()).isEqualTo(Errno.ESRCH);
    } finally {
      child.close();
    }
  }

  @Test
  void pagesWrittenDuringScansAreNeverLost() throws Exception {
    int pageCount = 512;
    try (Mapping mapping = Mapping.anonymous(pageCount).touchAll();
        FileDescriptor userFault = track(mapping)) {
      byte[] copy = new byte[pageCount];
      AtomicBoolean stop = new AtomicBoolean();
      Thread writer = new Thread(() -> writeAtRandom(mapping, pageCount, stop));
      writer.start();
      try {
        for (int round = 0; round < 200; round++) {
          copyWritten(mapping, copy);
        }
      } finally {
        stop.set(true);
        writer.join();
      }
      copyWritten(mapping, copy);
      for (int page = 0; page < pageCount; page++) {
        assertThat(copy[page]).as("page %d", page).isEqualTo(mapping.view().get(page * Kernel.PAGE_BYTES));
      }
      assertThat(userFault.isOpen()).isTrue();
    }
  }

  private static void writeAtRandom(Mapping mapping, int pageCount, AtomicBoolean stop) {
    Random random = new Random(7);
    ByteBuffer view = mapping.view();
    while (!stop.get()) {
      int at = random.nextInt(pageCount) * Kernel.PAGE_BYTES;
      view.put(at, (byte) (view.get(at) + 1));
    }
  }

  /** Scan first, read after: what changes in between is in the next answer. */
  private static void copyWritten(Mapping mapping, byte[] copy) {
    List<Integer> written = pages(mapping, PROTECT_WRITTEN);
    for (int page : written) {
      copy[page] = RemoteMemory.read(Kernel.pid(), mapping.page(page), 1)[0];
    }
  }

  @Test
  void thePlainPagemapShowsPresenceAndPrivateCopies() {
    try (FileDescriptor file = FileDescriptor.memfd("pages", 0)) {
      file.truncate(4L * Kernel.PAGE_BYTES);
      try (Mapping mapping = Mapping.of(4, MAP_PRIVATE, file.number());
          Pagemap pagemap = Pagemap.open(Kernel.pid())) {
        assertThat(mapping.view().get(0)).isZero();
        mapping.touch(1);
        assertThat(pagemap.read(mapping.address(), 4)).isEqualTo(4);
        assertThat(Pagemap.present(pagemap.entry(0))).isTrue();
        assertThat(Pagemap.fileOrShared(pagemap.entry(0))).isTrue();
        assertThat(Pagemap.present(pagemap.entry(1))).isTrue();
        assertThat(Pagemap.fileOrShared(pagemap.entry(1))).isFalse();
        assertThat(Pagemap.swapped(pagemap.entry(1))).isFalse();
      }
    }
  }
}
