package io.pagelift.linux.stub;

import io.pagelift.linux.Kernel;
import io.pagelift.linux.inject.BatchExecutor;
import io.pagelift.linux.ptrace.Tracee;

/**
 * Where the stub lives in a process: one anonymous mapping, a page of code followed by the work area (table of calls, then
 * scratch memory). It must not overlap anything that the rebuilt process will have.
 *
 * @param base its first byte, page-aligned
 * @param workBytes the length of the work area, whole pages, at least 64 KiB
 */
public record StubRegion(long base, int workBytes) {
  /** The length of the work area unless there is a reason for another. */
  public static final int DEFAULT_WORK_BYTES = 256 * 1024;

  private static final int MIN_WORK_BYTES = 64 * 1024;
  private static final int TABLE_SHARE = 4;
  private static final int ENTRY_BYTES = 64;

  /** Checks the bounds. */
  public StubRegion {
    if (base <= 0
        || base % Kernel.PAGE_BYTES != 0
        || workBytes % Kernel.PAGE_BYTES != 0
        || workBytes < MIN_WORK_BYTES) {
      throw new IllegalArgumentException(String.format("stub region at %#x of %d bytes", base, workBytes));
    }
  }

  /** A region with the usual work area. */
  public static StubRegion at(long base) {
    return new StubRegion(base, DEFAULT_WORK_BYTES);
  }

  /** The whole length in bytes. */
  public long lengthBytes() {
    return (long) Kernel.PAGE_BYTES + workBytes;
  }

  /** The end, exclusive. */
  public long end() {
    return base + lengthBytes();
  }

  /** Runs batches in a thread that has the region mapped, with the region's own work area or one that lies elsewhere. */
  BatchExecutor executor(Tracee tracee, long workAddress) {
    int tableBytes = workBytes / TABLE_SHARE;
    return new BatchExecutor(
        tracee, base, workAddress, tableBytes / ENTRY_BYTES, workAddress + tableBytes, workBytes - tableBytes);
  }

  /** The region's own work area. */
  long workAddress() {
    return base + Kernel.PAGE_BYTES;
  }
}
