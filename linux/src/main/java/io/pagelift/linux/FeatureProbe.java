package io.pagelift.linux;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;

/** One run of all probes on this process. {@link ChildProbe} does those that need another process. */
final class FeatureProbe {
  private static final int PAGES = 4;
  private static final int TCP_REPAIR_OPTION = 19;
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final int AF_INET = 2;
  private static final int AF_NETLINK = 16;
  private static final int SOCK_STREAM_CLOEXEC = 0x80001;
  private static final int SOCK_RAW_CLOEXEC = 0x80003;
  private static final int IPPROTO_TCP = 6;

  private final Map<Feature, String> refusals = new EnumMap<>(Feature.class);

  KernelFeatures run() {
    attempt(Feature.USERFAULTFD, () -> UserFault.create().close());
    attempt(Feature.PAGEMAP_SCAN, () -> withMapping(this::scanOnePage));
    attempt(Feature.UFFD_WP_ASYNC, () -> withMapping(this::trackOneWrite));
    attempt(Feature.SOFT_DIRTY, () -> withMapping(this::seeSoftDirty));
    attempt(Feature.KCMP, this::compareWithItself);
    attempt(Feature.PROC_CHILDREN, () -> ProcFile.read("/proc/thread-self/children"));
    attempt(Feature.CLONE3_SET_TID, this::cloneOntoTakenPid);
    attempt(Feature.PR_SET_MM_MAP, this::askMapSize);
    attempt(
        Feature.TIMER_RESTORE_IDS,
        () -> Kernel.check(Prctl.call(Constants.PR_TIMER_CREATE_RESTORE_IDS, 2, 0, 0, 0), "prctl", "a timer id"));
    attempt(
        Feature.CLOSE_RANGE,
        () -> Kernel.check(Kernel.call(SyscallNumbers.CLOSE_RANGE, 0x7ffffff0, 0x7ffffff1, 0), "close_range", ""));
    attempt(Feature.TIME_NAMESPACE, () -> ProcTree.link(Kernel.pid(), "ns/time"));
    attempt(Feature.TCP_REPAIR, this::repairFreshSocket);
    attempt(
        Feature.SOCK_DIAG,
        () ->
            FileDescriptor.own(
                    (int)
                        Kernel.check(
                            Kernel.call(SyscallNumbers.SOCKET, AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG),
                            "socket",
                            "NETLINK_SOCK_DIAG"),
                    "netlink")
                .close());
    int extendedStateBytes = ChildProbe.run(this);
    return new KernelFeatures(refusals, extendedStateBytes);
  }

  /** Runs one probe: it has the feature if nothing is thrown. */
  void attempt(Feature feature, Runnable probe) {
    try {
      probe.run();
      refusals.put(feature, "");
    } catch (KernelException e) {
      refusals.put(feature, e.getMessage());
    }
  }

  void refuse(Feature feature, String why) {
    refusals.put(feature, why);
  }

  /** Something that works on a fresh mapping of a few untouched pages. */
  @FunctionalInterface
  private interface MappingProbe {
    void on(long address);
  }

  private void withMapping(MappingProbe probe) {
    long length = (long) PAGES * Kernel.PAGE_BYTES;
    long address =
        Kernel.check(
            Kernel.call(SyscallNumbers.MMAP, 0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            "mmap",
            "a page to try things on");
    try {
      probe.on(address);
    } finally {
      Kernel.call(SyscallNumbers.MUNMAP, address, length);
    }
  }

  private static void touch(long address, int page) {
    Kernel.view(address, PAGES * Kernel.PAGE_BYTES).put(page * Kernel.PAGE_BYTES, (byte) 1);
  }

  private void scanOnePage(long address) {
    touch(address, 2);
    PagemapScan.Query present =
        new PagemapScan.Query(0, 0, PagemapScan.PRESENT, 0, PagemapScan.PRESENT);
    expectOnlyPage(address, 2, present, "the present page");
  }

  private void trackOneWrite(long address) {
    try (FileDescriptor userFault = UserFault.create()) {
      UserFault.api(userFault, UserFault.FEATURE_WP_ASYNC | UserFault.FEATURE_WP_UNPOPULATED);
      int errno = UserFault.register(userFault, address, (long) PAGES * Kernel.PAGE_BYTES);
      if (errno != 0) {
        throw new KernelException("ioctl UFFDIO_REGISTER", errno, 0, "");
      }
      for (int page = 0; page < PAGES; page++) {
        touch(address, page);
      }
      PagemapScan.Query protect =
          new PagemapScan.Query(
              PagemapScan.WP_MATCHING | PagemapScan.CHECK_WP_ASYNC, 0, PagemapScan.WRITTEN, 0, PagemapScan.WRITTEN);
      try (PagemapScan scan = PagemapScan.open(Kernel.pid())) {
        scan.scan(address, address + (long) PAGES * Kernel.PAGE_BYTES, protect, (start, end, categories) -> {});
      }
      touch(address, 1);
      expectOnlyPage(address, 1, protect, "the written page");
    }
  }

  private static void expectOnlyPage(long address, int page, PagemapScan.Query query, String what) {
    long wanted = address + (long) page * Kernel.PAGE_BYTES;
    long[] found = new long[1];
    try (PagemapScan scan = PagemapScan.open(Kernel.pid())) {
      PagemapScan.Scan end =
          scan.scan(
              address,
              address + (long) PAGES * Kernel.PAGE_BYTES,
              query,
              (start, regionEnd, categories) -> found[0] = start);
      if (end.errno() != 0) {
        throw new KernelException("ioctl PAGEMAP_SCAN", end.errno(), 0, "");
      }
      if (end.pageCount() != 1 || found[0] != wanted) {
        throw new KernelException("ioctl PAGEMAP_SCAN", Errno.ENODATA, 0, what);
      }
    }
  }

  private void seeSoftDirty(long address) {
    // A fresh mapping is soft-dirty as a whole, so clear_refs, which costs every page a fault, is not needed to see the bit.
    touch(address, 0);
    try (Pagemap pagemap = Pagemap.open(Kernel.pid())) {
      if (pagemap.read(address, 1) != 1 || !Pagemap.softDirty(pagemap.entry(0))) {
        throw new KernelException("soft-dirty bit of a fresh page", Errno.ENODATA, 0, "");
      }
    }
  }

  private void compareWithItself() {
    int self = Kernel.pid();
    try (FileDescriptor file = FileDescriptor.memfd("probe", 0);
        FileDescriptor same = file.dup()) {
      if (!Kcmp.sameFile(self, file.number(), self, same.number())) {
        throw new KernelException("kcmp", Errno.ENODATA, 0, "");
      }
    }
  }

  /** Asks for our own pid, which is taken: EEXIST says that choosing is allowed, and no child is ever made. */
  private void cloneOntoTakenPid() {
    Scratch scratch = Scratch.ofThread();
    ByteBuffer arguments = scratch.struct(128);
    long tidAddress = scratch.structAddress() + 96;
    arguments.putInt(96, Kernel.pid());
    arguments.putLong(32, Constants.SIGCHLD).putLong(64, tidAddress).putLong(72, 1);
    long result = Kernel.call(SyscallNumbers.CLONE3, scratch.structAddress(), 80);
    if (result != -Errno.EEXIST) {
      Kernel.check(result, "clone3", "a chosen pid");
    }
  }

  private void askMapSize() {
    Scratch scratch = Scratch.ofThread();
    long result = Prctl.call(Constants.PR_SET_MM, Constants.PR_SET_MM_MAP_SIZE, scratch.structAddress(), 0, 0);
    Kernel.check(result, "prctl", "PR_SET_MM_MAP_SIZE");
  }

  private void repairFreshSocket() {
    long number = Kernel.call(SyscallNumbers.SOCKET, AF_INET, SOCK_STREAM_CLOEXEC, 0);
    try (FileDescriptor socket = FileDescriptor.own((int) Kernel.check(number, "socket", ""), "socket")) {
      Scratch scratch = Scratch.ofThread();
      scratch.struct().putInt(0, 1);
      long result =
          Kernel.call(
              SyscallNumbers.SETSOCKOPT, socket.number(), IPPROTO_TCP, TCP_REPAIR_OPTION, scratch.structAddress(), 4);
      Kernel.check(result, "setsockopt", "TCP_REPAIR");
    }
  }
}
