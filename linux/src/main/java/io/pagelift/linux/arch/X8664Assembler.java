package io.pagelift.linux.arch;

import java.io.ByteArrayOutputStream;

/** Writes the few x86-64 instructions that the stubs are made of. */
final class X8664Assembler {
  static final int RAX = 0;
  static final int RCX = 1;
  static final int RDX = 2;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RBP = 5;
  static final int RSI = 6;
  static final int RDI = 7;
  static final int R8 = 8;
  static final int R9 = 9;
  static final int R10 = 10;
  static final int R12 = 12;
  static final int R13 = 13;

  private static final int REX_W = 0x48;
  private static final int REX_W_B = 0x49;
  private static final int REX_B = 0x41;
  private static final int JUMP_BYTES = 5;
  private static final int INDIRECT_JUMP_BYTES = 6;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();
  private final long start;

  /** Code for a place in memory. */
  X8664Assembler(long start) {
    this.start = start;
  }

  /** The address of the next instruction. */
  long here() {
    return start + code.size();
  }

  byte[] bytes() {
    return code.toByteArray();
  }

  /** Raw instruction bytes. */
  X8664Assembler raw(int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
    return this;
  }

  X8664Assembler raw(byte[] bytes) {
    code.writeBytes(bytes);
    return this;
  }

  /** {@code mov $value, %register} in its shortest form. */
  X8664Assembler load(int register, long value) {
    boolean high = register >= 8;
    if (value == (value & 0xffff_ffffL)) {
      if (high) {
        raw(REX_B);
      }
      return raw(0xb8 + (register & 7)).number(value, Integer.BYTES);
    }
    raw(high ? REX_W_B : REX_W);
    if (value == (int) value) {
      return raw(0xc7, 0xc0 + (register & 7)).number(value, Integer.BYTES);
    }
    return raw(0xb8 + (register & 7)).number(value, Long.BYTES);
  }

  /** {@code mov %rax, %register}. */
  X8664Assembler copyResult(int register) {
    return raw(register >= 8 ? REX_W_B : REX_W, 0x89, 0xc0 + (register & 7));
  }

  X8664Assembler syscall() {
    return raw(0x0f, 0x05);
  }

  /** {@code jmp} to an address at most 2 GiB away. */
  X8664Assembler jump(long target) {
    long distance = target - (here() + JUMP_BYTES);
    return raw(0xe9).number(distance, Integer.BYTES);
  }

  /** {@code jmp *(%rip)} to an address that follows the instruction as data: it needs no register. */
  X8664Assembler jumpFar(long target) {
    return raw(0xff, 0x25).number(0, INDIRECT_JUMP_BYTES - 2).number(target, Long.BYTES);
  }

  /** A number, little-endian. */
  X8664Assembler number(long value, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i++) {
      code.write((int) (value >>> (8 * i)));
    }
    return this;
  }
}
