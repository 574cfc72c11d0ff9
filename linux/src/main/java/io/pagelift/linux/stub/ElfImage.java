package io.pagelift.linux.stub;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.arch.Architecture;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A static ELF program of one read-only, executable page, made in memory: elf(5).
 *
 * <pre>
 * +------------+---------------------+-------------------------+------+
 * | ELF header | PT_LOAD: this file, | PT_GNU_STACK: a stack   | code |
 * | 64 bytes   | r-x, at its address | that is not executable  |      |
 * +------------+---------------------+-------------------------+------+
 * </pre>
 */
final class ElfImage {
  private static final int HEADER_BYTES = 64;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int PROGRAM_HEADERS = 2;
  private static final int PT_LOAD = 1;
  private static final int PT_GNU_STACK = 0x6474e551;
  private static final short ET_EXEC = 2;
  private static final int READ_WRITE = 6;
  private static final int READ_EXECUTE = 5;

  /** Where the code starts, relative to the page. */
  static final int CODE_OFFSET = HEADER_BYTES + PROGRAM_HEADERS * PROGRAM_HEADER_BYTES;

  private ElfImage() {}

  /**
   * The file's bytes.
   *
   * @param address of the page, page-aligned
   * @param code what it runs, made for {@code address + CODE_OFFSET}
   */
  static byte[] bytes(long address, byte[] code) {
    int length = CODE_OFFSET + code.length;
    if (length > Kernel.PAGE_BYTES) {
      throw new IllegalArgumentException("code of " + code.length + " bytes");
    }
    ByteBuffer image = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    image.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16); // 64-bit, little-endian, version 1
    image.putShort(ET_EXEC).putShort((short) Architecture.current().elfMachine()).putInt(1);
    image.putLong(address + CODE_OFFSET).putLong(HEADER_BYTES).putLong(0).putInt(0);
    image.putShort((short) HEADER_BYTES).putShort((short) PROGRAM_HEADER_BYTES).putShort((short) PROGRAM_HEADERS);
    image.position(HEADER_BYTES);
    programHeader(image, PT_LOAD, READ_EXECUTE, address, length);
    programHeader(image, PT_GNU_STACK, READ_WRITE, 0, 0);
    image.put(code);
    return image.array();
  }

  private static void programHeader(ByteBuffer image, int type, int flags, long address, long length) {
    image.putInt(type).putInt(flags).putLong(0).putLong(address).putLong(address);
    image.putLong(length).putLong(length).putLong(Kernel.PAGE_BYTES);
  }

  /** A memfd that holds the program. */
  static FileDescriptor memfd(String name, byte[] image) {
    FileDescriptor file;
    try {
      // Without MFD_EXEC a system with vm.memfd_noexec set makes memfds that can't be executed; before Linux 6.3 it is unknown.
      file = FileDescriptor.memfd(name, Constants.MFD_EXEC);
    } catch (KernelException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      file = FileDescriptor.memfd(name, 0);
    }
    try {
      file.writeFully(image);
      return file;
    } catch (KernelException e) {
      file.close();
      throw e;
    }
  }
}
