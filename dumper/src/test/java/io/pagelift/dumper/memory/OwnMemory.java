package io.pagelift.dumper.memory;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_FIXED;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import io.pagelift.linux.Kernel;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.SyscallNumbers;
import java.util.List;

/** A piece of this very process's address space to play with: what the page reader and the trackers look at in tests. */
final class OwnMemory implements AutoCloseable {
  static final int PAGE = 4096;
  private static final int MADV_DONTNEED = 4;

  private final long address;
  private final long pages;
  private final PageSet mapped = new PageSet();

  OwnMemory(long pages) {
    this.pages = pages;
    this.address =
        Kernel.check(
            Kernel.call(
                SyscallNumbers.MMAP, 0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            "mmap",
            "test memory");
    mapped.add(0, pages);
  }

  long firstPage() {
    return address / PAGE;
  }

  long endPage() {
    return firstPage() + pages;
  }

  /** Fills a page with a value that names it. */
  void write(long page, long value) {
    Kernel.view(address + page * PAGE, PAGE).putLong(0, value).putLong(PAGE - 8, ~value);
  }

  /** Leaves a hole for good. Nothing may be mapped there again: the JVM may use the place at any time. */
  void unmap(long page, long count) {
    mapped.remove(page, page + count);
    Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, address + page * PAGE, count * PAGE), "munmap", "");
  }

  /** Puts fresh memory in place of what is there, without a moment in which nothing is. */
  void remap(long page, long count, int protection) {
    Kernel.check(
        Kernel.call(
            SyscallNumbers.MMAP,
            address + page * PAGE,
            count * PAGE,
            protection,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
            -1,
            0),
        "mmap",
        "");
  }

  void protect(long page, long count, int protection) {
    Kernel.check(
        Kernel.call(SyscallNumbers.MPROTECT, address + page * PAGE, count * PAGE, protection), "mprotect", "");
  }

  void discard(long page, long count) {
    Kernel.check(
        Kernel.call(SyscallNumbers.MADVISE, address + page * PAGE, count * PAGE, MADV_DONTNEED), "madvise", "");
  }

  /** The mappings of this process that lie in this memory. */
  List<MemoryMap> mappings() {
    return ProcessMaps.read(Kernel.pid()).stream()
        .filter(map -> map.end() > address && map.start() < address + pages * PAGE && map.start() > 0)
        .map(this::clip)
        .toList();
  }

  /** The kernel merges neighbouring anonymous mappings: only our part of them counts. */
  private MemoryMap clip(MemoryMap map) {
    return new MemoryMap(
        Math.max(map.start(), address),
        Math.min(map.end(), address + pages * PAGE),
        map.protection(),
        map.shared(),
        map.fileOffsetBytes(),
        map.devMajor(),
        map.devMinor(),
        map.inode(),
        map.path());
  }

  PageSet all() {
    PageSet set = new PageSet();
    set.add(firstPage(), endPage());
    return set;
  }

  @Override
  public void close() {
    mapped.forEachRun((page, count) -> Kernel.call(SyscallNumbers.MUNMAP, address + page * PAGE, count * PAGE));
  }
}
