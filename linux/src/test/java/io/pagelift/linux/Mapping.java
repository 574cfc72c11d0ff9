package io.pagelift.linux;

import static io.pagelift.linux.Constants.MAP_ANONYMOUS;
import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;

import java.nio.ByteBuffer;
import java.util.BitSet;

/** A mapping of a test in this process, unmapped at its end. */
final class Mapping implements AutoCloseable {
  private final long address;
  private final int pages;

  /** What was unmapped may be another thread's memory by now: the end of the test must leave it alone. */
  private final BitSet unmapped = new BitSet();

  private Mapping(long address, int pages) {
    this.address = address;
    this.pages = pages;
  }

  static Mapping anonymous(int pages) {
    return of(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  }

  static Mapping of(int pages, int flags, int fd) {
    long address =
        Kernel.call(SyscallNumbers.MMAP, 0, bytes(pages), PROT_READ | PROT_WRITE, flags, fd, 0);
    return new Mapping(Kernel.check(address, "mmap", "a test's mapping"), pages);
  }

  private static long bytes(long pages) {
    return pages * Kernel.PAGE_BYTES;
  }

  long address() {
    return address;
  }

  long page(int index) {
    return address + bytes(index);
  }

  long end() {
    return page(pages);
  }

  long lengthBytes() {
    return bytes(pages);
  }

  Mapping touch(int index) {
    return put(index, (byte) 1);
  }

  Mapping put(int index, byte value) {
    view().put((int) bytes(index), value);
    return this;
  }

  Mapping touchAll() {
    for (int page = 0; page < pages; page++) {
      put(page, (byte) (page + 1));
    }
    return this;
  }

  ByteBuffer view() {
    return Kernel.view(address, (int) lengthBytes());
  }

  void unmap(int page, int count) {
    Kernel.check(Kernel.call(SyscallNumbers.MUNMAP, page(page), bytes(count)), "munmap", "");
    unmapped.set(page, page + count);
  }

  void protect(int page, int count, int protection) {
    Kernel.check(Kernel.call(SyscallNumbers.MPROTECT, page(page), bytes(count), protection), "mprotect", "");
  }

  void advise(int page, int count, int advice) {
    Kernel.check(Kernel.call(SyscallNumbers.MADVISE, page(page), bytes(count), advice), "madvise", "");
  }

  MemoryMap inMaps() {
    return ProcessMaps.read(Kernel.pid()).stream().filter(map -> map.contains(address)).findFirst().orElseThrow();
  }

  @Override
  public void close() {
    for (int start = unmapped.nextClearBit(0); start < pages; ) {
      int next = unmapped.nextSetBit(start);
      int end = next < 0 ? pages : next;
      Kernel.call(SyscallNumbers.MUNMAP, page(start), bytes(end - start));
      start = unmapped.nextClearBit(end);
    }
  }
}
