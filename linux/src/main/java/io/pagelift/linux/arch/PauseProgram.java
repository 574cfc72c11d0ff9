package io.pagelift.linux.arch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A static ELF program of one page that does nothing but wait to be killed: for trying out what the kernel allows. */
public final class PauseProgram {
  private static final int HEADER_BYTES = 64;
  private static final int SEGMENT_BYTES = 56;
  private static final long BASE = 0x10000000L;

  private PauseProgram() {}

  /** The program's file. */
  public static byte[] elf(Architecture architecture) {
    byte[] code = architecture.pauseForeverCode();
    int codeOffset = HEADER_BYTES + SEGMENT_BYTES;
    int length = codeOffset + code.length;
    ByteBuffer elf = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0);
    elf.putShort((short) 2).putShort((short) architecture.elfMachine()).putInt(1);
    elf.putLong(BASE + codeOffset).putLong(HEADER_BYTES).putLong(0).putInt(0);
    elf.putShort((short) HEADER_BYTES).putShort((short) SEGMENT_BYTES).putShort((short) 1);
    elf.putShort((short) 64).putShort((short) 0).putShort((short) 0);
    // One segment, PT_LOAD, readable and executable.
    elf.putInt(1).putInt(5).putLong(0).putLong(BASE).putLong(BASE);
    elf.putLong(length).putLong(length).putLong(4096);
    return elf.put(code).array();
  }
}
