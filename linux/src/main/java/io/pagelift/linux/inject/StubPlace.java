package io.pagelift.linux.inject;

import io.pagelift.linux.Errno;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcAuxv;
import io.pagelift.linux.RemoteMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Room for a stub in a living process: the zeros between the end of its vdso's image and the end of that page.
 *
 * <p>The vdso is mapped in every process and executable, and its tail is used by nothing. Writing there through
 * {@code /proc/PID/mem} copies the page for this process alone. The place is found in the target's own image, because a process
 * that was restored from another host may keep the vdso of that host's kernel.
 *
 * @param start the first byte, a multiple of 16
 * @param end the end, exclusive
 * @param clean whether there are only zeros; otherwise an earlier tracer died and its stub is still there
 */
record StubPlace(long start, long end, boolean clean) {
  private static final int HEADER_BYTES = 64;
  private static final int MAX_IMAGE_BYTES = 64 * 1024;
  private static final int ELF_MAGIC = 0x464c457f;
  private static final int E_PHOFF = 32;
  private static final int E_SHOFF = 40;
  private static final int E_PHENTSIZE = 54;
  private static final int E_PHNUM = 56;
  private static final int E_SHENTSIZE = 58;
  private static final int E_SHNUM = 60;
  private static final int P_OFFSET = 8;
  private static final int P_FILESZ = 32;
  private static final int PHDR_BYTES = 56;
  private static final int ALIGNMENT = 16;

  /**
   * Finds the place.
   *
   * @param leastBytes how much room is wanted
   * @throws KernelException EOPNOTSUPP if the process has no vdso, or one without that much room
   */
  static StubPlace find(int pid, int leastBytes) {
    try {
      return find(pid, vdsoAddress(pid), leastBytes);
    } catch (KernelException e) {
      throw e.errno() == Errno.EFAULT ? noRoom(pid, "its vdso, which it has unmapped") : e;
    }
  }

  private static StubPlace find(int pid, long vdso, int leastBytes) {
    long used = imageBytes(pid, vdso);
    long end = vdso + ((used + Kernel.PAGE_BYTES - 1) & -Kernel.PAGE_BYTES);
    long start = (vdso + used + ALIGNMENT - 1) & -ALIGNMENT;
    if (end - start < leastBytes) {
      throw noRoom(pid, "its vdso, which has only " + (end - start) + " unused bytes");
    }
    boolean clean = true;
    for (byte b : RemoteMemory.read(pid, start, (int) (end - start))) {
      clean &= b == 0;
    }
    return new StubPlace(start, end, clean);
  }

  boolean contains(long address) {
    return address >= start && address < end;
  }

  int lengthBytes() {
    return (int) (end - start);
  }

  private static long vdsoAddress(int pid) {
    Long address = ProcAuxv.parse(ProcAuxv.readRaw(pid)).get(ProcAuxv.AT_SYSINFO_EHDR);
    if (address == null) {
      throw noRoom(pid, "its vdso, which it does not have");
    }
    return address;
  }

  /** The end of everything that the image's headers name. */
  private static long imageBytes(int pid, long vdso) {
    ByteBuffer header = words(RemoteMemory.read(pid, vdso, HEADER_BYTES));
    int programHeaders = header.getShort(E_PHNUM) & 0xffff;
    long programOffset = header.getLong(E_PHOFF);
    if (header.getInt(0) != ELF_MAGIC
        || header.getShort(E_PHENTSIZE) != PHDR_BYTES
        || programHeaders > Kernel.PAGE_BYTES / PHDR_BYTES
        || programOffset < 0
        || programOffset > Kernel.PAGE_BYTES) {
      throw noRoom(pid, "its vdso, whose headers make no sense");
    }
    long used = header.getLong(E_SHOFF)
        + (long) (header.getShort(E_SHNUM) & 0xffff) * (header.getShort(E_SHENTSIZE) & 0xffff);
    ByteBuffer table = words(RemoteMemory.read(pid, vdso + programOffset, programHeaders * PHDR_BYTES));
    for (int i = 0; i < programHeaders; i++) {
      int at = i * PHDR_BYTES;
      used = Math.max(used, table.getLong(at + P_OFFSET) + table.getLong(at + P_FILESZ));
    }
    if (used < HEADER_BYTES || used > MAX_IMAGE_BYTES) {
      throw noRoom(pid, "its vdso, whose headers make no sense");
    }
    return used;
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  private static KernelException noRoom(int pid, String object) {
    return new KernelException("injection", Errno.EOPNOTSUPP, pid, object);
  }
}
