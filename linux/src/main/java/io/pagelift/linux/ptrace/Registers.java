package io.pagelift.linux.ptrace;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A thread's general registers: the 216 bytes of x86-64's {@code struct user_regs_struct} (NT_PRSTATUS), mutable.
 *
 * <p>The names are the processor's. {@link #syscallNumber}, {@link #argument} and their like say the same in terms of system
 * calls, for code that should not know the processor.
 */
public final class Registers {
  /** The length of the register set in bytes. */
  public static final int LENGTH_BYTES = 216;

  private static final int R15 = 0;
  private static final int R14 = 1;
  private static final int R13 = 2;
  private static final int R12 = 3;
  private static final int RBP = 4;
  private static final int RBX = 5;
  private static final int R11 = 6;
  private static final int R10 = 7;
  private static final int R9 = 8;
  private static final int R8 = 9;
  private static final int RAX = 10;
  private static final int RCX = 11;
  private static final int RDX = 12;
  private static final int RSI = 13;
  private static final int RDI = 14;
  private static final int ORIG_RAX = 15;
  private static final int RIP = 16;
  private static final int CS = 17;
  private static final int EFLAGS = 18;
  private static final int RSP = 19;
  private static final int FS_BASE = 21;
  private static final int GS_BASE = 22;

  private static final int[] ARGUMENTS = {RDI, RSI, RDX, R10, R8, R9};
  private static final long USER_CODE_64 = 0x33;
  private static final int SYSCALL_INSTRUCTION_BYTES = 2;
  private static final long RESTART_SYSCALL = 219;
  private static final long ERESTARTSYS = -512;
  private static final long ERESTARTNOINTR = -513;
  private static final long ERESTARTNOHAND = -514;
  private static final long ERESTART_RESTARTBLOCK = -516;

  private final byte[] content;
  private final ByteBuffer words;

  private Registers(byte[] content) {
    this.content = content;
    this.words = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Registers with these bytes.
   *
   * @param bytes exactly {@value #LENGTH_BYTES} bytes; copied
   */
  public static Registers of(byte[] bytes) {
    if (bytes.length != LENGTH_BYTES) {
      throw new IllegalArgumentException(
          "general registers are " + LENGTH_BYTES + " bytes, not " + bytes.length);
    }
    return new Registers(bytes.clone());
  }

  /** An independent copy. */
  public Registers copy() {
    return of(content);
  }

  /** The raw bytes, a copy. */
  public byte[] bytes() {
    return content.clone();
  }

  byte[] content() {
    return content;
  }

  private long get(int index) {
    return words.getLong(index * Long.BYTES);
  }

  private Registers set(int index, long value) {
    words.putLong(index * Long.BYTES, value);
    return this;
  }

  /** The number of the system call that the thread is in, -1 (as signed) for none: {@code orig_rax}. */
  public long syscallNumber() {
    return get(ORIG_RAX);
  }

  /** An argument of a system call, 0 to 5. */
  public long argument(int index) {
    return get(ARGUMENTS[index]);
  }

  /** Sets an argument of a system call, 0 to 5. */
  public Registers setArgument(int index, long value) {
    return set(ARGUMENTS[index], value);
  }

  /** What a system call returned. */
  public long result() {
    return get(RAX);
  }

  /** Whether the thread runs 64-bit code (and not 32-bit code on a 64-bit kernel). */
  public boolean is64Bit() {
    return get(CS) == USER_CODE_64;
  }

  /**
   * Whether the thread was taken out of a system call that the kernel will start again on its way back to user space (the
   * result is one of the ERESTART codes that user space never sees).
   */
  public boolean restartPending() {
    if (get(ORIG_RAX) < 0) {
      return false;
    }
    long result = get(RAX);
    return result == ERESTARTSYS
        || result == ERESTARTNOINTR
        || result == ERESTARTNOHAND
        || result == ERESTART_RESTARTBLOCK;
  }

  /**
   * A copy in which a pending restart is already done as the kernel would do it: the instruction pointer is back at the
   * {@code syscall} instruction, and the number is the call's own, or restart_syscall(2) where the kernel keeps how to go on
   * in the thread's restart block. It can be put into a thread at any kind of stop, and no {@code orig_rax} makes the kernel
   * do it a second time.
   */
  public Registers withRestartApplied() {
    Registers home = copy();
    if (restartPending()) {
      long number = get(RAX) == ERESTART_RESTARTBLOCK ? RESTART_SYSCALL : get(ORIG_RAX);
      home.set(RAX, number).set(RIP, get(RIP) - SYSCALL_INSTRUCTION_BYTES);
    }
    return home.set(ORIG_RAX, -1);
  }

  /** The register r15. */
  public long r15() {
    return get(R15);
  }

  /** Sets the register r15. */
  public Registers setR15(long value) {
    return set(R15, value);
  }

  /** The register r14. */
  public long r14() {
    return get(R14);
  }

  /** Sets the register r14. */
  public Registers setR14(long value) {
    return set(R14, value);
  }

  /** The register r13. */
  public long r13() {
    return get(R13);
  }

  /** Sets the register r13. */
  public Registers setR13(long value) {
    return set(R13, value);
  }

  /** The register r12. */
  public long r12() {
    return get(R12);
  }

  /** Sets the register r12. */
  public Registers setR12(long value) {
    return set(R12, value);
  }

  /** The register rbp. */
  public long rbp() {
    return get(RBP);
  }

  /** Sets the register rbp. */
  public Registers setRbp(long value) {
    return set(RBP, value);
  }

  /** The register rbx. */
  public long rbx() {
    return get(RBX);
  }

  /** Sets the register rbx. */
  public Registers setRbx(long value) {
    return set(RBX, value);
  }

  /** The register r11. */
  public long r11() {
    return get(R11);
  }

  /** Sets the register r11. */
  public Registers setR11(long value) {
    return set(R11, value);
  }

  /** The register r10. */
  public long r10() {
    return get(R10);
  }

  /** Sets the register r10. */
  public Registers setR10(long value) {
    return set(R10, value);
  }

  /** The register r9. */
  public long r9() {
    return get(R9);
  }

  /** Sets the register r9. */
  public Registers setR9(long value) {
    return set(R9, value);
  }

  /** The register r8. */
  public long r8() {
    return get(R8);
  }

  /** Sets the register r8. */
  public Registers setR8(long value) {
    return set(R8, value);
  }

  /** The register rax. */
  public long rax() {
    return get(RAX);
  }

  /** Sets the register rax. */
  public Registers setRax(long value) {
    return set(RAX, value);
  }

  /** The register rcx. */
  public long rcx() {
    return get(RCX);
  }

  /** Sets the register rcx. */
  public Registers setRcx(long value) {
    return set(RCX, value);
  }

  /** The register rdx. */
  public long rdx() {
    return get(RDX);
  }

  /** Sets the register rdx. */
  public Registers setRdx(long value) {
    return set(RDX, value);
  }

  /** The register rsi. */
  public long rsi() {
    return get(RSI);
  }

  /** Sets the register rsi. */
  public Registers setRsi(long value) {
    return set(RSI, value);
  }

  /** The register rdi. */
  public long rdi() {
    return get(RDI);
  }

  /** Sets the register rdi. */
  public Registers setRdi(long value) {
    return set(RDI, value);
  }

  /** The register origRax. */
  public long origRax() {
    return get(ORIG_RAX);
  }

  /** Sets the register origRax. */
  public Registers setOrigRax(long value) {
    return set(ORIG_RAX, value);
  }

  /** The register rip. */
  public long rip() {
    return get(RIP);
  }

  /** Sets the register rip. */
  public Registers setRip(long value) {
    return set(RIP, value);
  }

  /** The register eflags. */
  public long eflags() {
    return get(EFLAGS);
  }

  /** Sets the register eflags. */
  public Registers setEflags(long value) {
    return set(EFLAGS, value);
  }

  /** The register rsp. */
  public long rsp() {
    return get(RSP);
  }

  /** Sets the register rsp. */
  public Registers setRsp(long value) {
    return set(RSP, value);
  }

  /** The register fsBase. */
  public long fsBase() {
    return get(FS_BASE);
  }

  /** Sets the register fsBase. */
  public Registers setFsBase(long value) {
    return set(FS_BASE, value);
  }

  /** The register gsBase. */
  public long gsBase() {
    return get(GS_BASE);
  }

  /** Sets the register gsBase. */
  public Registers setGsBase(long value) {
    return set(GS_BASE, value);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Registers registers && Arrays.equals(content, registers.content);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(content);
  }

  @Override
  public String toString() {
    // Register contents may be anything, secrets included: only where the thread stands is told.
    return String.format("Registers[rip=%#x, rsp=%#x, origRax=%d]", rip(), rsp(), origRax());
  }
}
