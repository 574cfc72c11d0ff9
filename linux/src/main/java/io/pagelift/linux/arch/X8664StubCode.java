package io.pagelift.linux.arch;

import static io.pagelift.linux.arch.X8664Assembler.R10;
import static io.pagelift.linux.arch.X8664Assembler.R12;
import static io.pagelift.linux.arch.X8664Assembler.R8;
import static io.pagelift.linux.arch.X8664Assembler.R9;
import static io.pagelift.linux.arch.X8664Assembler.RAX;
import static io.pagelift.linux.arch.X8664Assembler.RBX;
import static io.pagelift.linux.arch.X8664Assembler.RDI;
import static io.pagelift.linux.arch.X8664Assembler.RDX;
import static io.pagelift.linux.arch.X8664Assembler.RSI;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The stubs for x86-64. */
final class X8664StubCode implements StubCode {
  private static final int[] ARGUMENTS = {RDI, RSI, RDX, R10, R8, R9};

  /** Where user_regs_struct has each register, in the order of the instruction set's register numbers; -1 for the stack pointer. */
  private static final int[] SAVED = {80, 88, 96, 40, -1, 32, 104, 112, 72, 64, 56, 48, 24, 16, 8, 0};

  private static final int SAVED_R12 = 24;
  private static final int SAVED_R13 = 16;
  private static final int SAVED_RBX = 40;
  private static final int SAVED_ORIG_RAX = 120;
  private static final int SAVED_RIP = 128;

  private static final int PPOLL = 271;
  private static final int PAUSE = 34;
  private static final int GETPID = 39;
  private static final int EXIT = 60;
  private static final int CHDIR = 80;
  private static final int SETSID = 112;
  private static final int RT_SIGPROCMASK = 14;
  private static final int PRCTL = 157;
  private static final int GETTID = 186;
  private static final int TGKILL = 234;
  private static final int CLOSE_RANGE = 436;
  private static final int PR_SET_PDEATHSIG = 1;
  private static final int PR_SET_NAME = 15;
  private static final int SIG_SETMASK = 2;
  private static final int SIGKILL = 9;
  private static final int SIGNAL_SET_BYTES = 8;
  private static final long MAX_DESCRIPTOR = 0xffff_ffffL;

  /** Six loads from the entry at rbx, the call, the result into the entry. */
  private static final int[] CALL_OF_ENTRY = {
    0x8b, 0x03, // mov (%rbx), %eax
    0x48, 0x8b, 0x7b, 0x08, // mov 8(%rbx), %rdi
    0x48, 0x8b, 0x73, 0x10, // mov 16(%rbx), %rsi
    0x48, 0x8b, 0x53, 0x18, // mov 24(%rbx), %rdx
    0x4c, 0x8b, 0x53, 0x20, // mov 32(%rbx), %r10
    0x4c, 0x8b, 0x43, 0x28, // mov 40(%rbx), %r8
    0x4c, 0x8b, 0x4b, 0x30, // mov 48(%rbx), %r9
    0x0f, 0x05, // syscall
    0x48, 0x89, 0x43, 0x38 // mov %rax, 56(%rbx)
  };

  @Override
  public int walkHomeMaxBytes() {
    return 256;
  }

  @Override
  public byte[] walkHome(long address, byte[] registerSet, long signalMask) {
    ByteBuffer saved = ByteBuffer.wrap(registerSet).order(ByteOrder.LITTLE_ENDIAN);
    X8664Assembler code = new X8664Assembler(address + Long.BYTES);
    // The mask lies in front of the code, where the call reads it.
    code.load(RAX, RT_SIGPROCMASK).load(RDI, SIG_SETMASK).load(RSI, address).load(RDX, 0).load(R10, SIGNAL_SET_BYTES);
    code.syscall();
    for (int register = 0; register < SAVED.length; register++) {
      if (SAVED[register] >= 0) {
        code.load(register, saved.getLong(SAVED[register]));
      }
    }
    code.jumpFar(saved.getLong(SAVED_RIP));
    return new X8664Assembler(address).number(signalMask, Long.BYTES).raw(code.bytes()).bytes();
  }

  @Override
  public int walkHomeEntryOffset() {
    return Long.BYTES;
  }

  @Override
  public CallSequence callSequence(long address, List<CallSequence.Call> calls, long next) {
    X8664Assembler code = new X8664Assembler(address);
    long firstReturn = address;
    for (int i = 0; i < calls.size(); i++) {
      append(code, calls.get(i));
      if (i == 0) {
        firstReturn = code.here();
      }
    }
    return new CallSequence(code.jump(next).bytes(), firstReturn);
  }

  private static void append(X8664Assembler code, CallSequence.Call call) {
    if (call.resultIndex() != NO_RESULT) {
      code.copyResult(ARGUMENTS[call.resultIndex()]);
    }
    for (int i = 0; i < MAX_ARGUMENTS; i++) {
      if (i != call.resultIndex()) {
        code.load(ARGUMENTS[i], call.argument(i));
      }
    }
    code.load(RAX, call.number()).syscall();
  }

  @Override
  public CallSequence tableSequence(
      long address, long tableAddress, int count, int signal, List<CallSequence.Call> afterwards, long next) {
    X8664Assembler code = new X8664Assembler(address);
    code.load(RBX, tableAddress).load(R12, count);
    int loop = code.bytes().length;
    code.raw(CALL_OF_ENTRY)
        .raw(0x48, 0x8d, 0x5b, 0x40) // lea 64(%rbx), %rbx: unlike add it leaves the flags alone
        .raw(0x4d, 0x8d, 0x64, 0x24, 0xff) // lea -1(%r12), %r12
        .raw(0x4c, 0x89, 0xe1) // mov %r12, %rcx
        .raw(0xe3, 0x02); // jrcxz over the next instruction
    code.raw(0xeb, loop - (code.bytes().length + 2)); // jmp loop
    // tgkill(getpid(), gettid(), signal), with the ids as the target's own pid namespace has them.
    code.load(RAX, GETPID).syscall().copyResult(RDI).load(RAX, GETTID).syscall().copyResult(RSI);
    code.load(RDX, signal).load(RAX, TGKILL).syscall();
    long firstReturn = code.here();
    for (CallSequence.Call call : afterwards) {
      append(code, call);
    }
    return new CallSequence(code.jump(next).bytes(), firstReturn);
  }

  @Override
  public byte[] batchExecutor() {
    return new X8664Assembler(0)
        .raw(0x4d, 0x85, 0xe4) // start: test %r12, %r12
        .raw(0x74, 0x45) // jz end
        .raw(CALL_OF_ENTRY)
        .raw(0x8b, 0x4b, 0x04) // mov 4(%rbx), %ecx: flags and forward
        .raw(0x89, 0xca) // mov %ecx, %edx
        .raw(0xc1, 0xea, 0x08) // shr $8, %edx
        .raw(0x74, 0x05) // jz over the next instruction
        .raw(0x49, 0x89, 0x44, 0xd5, 0x00) // mov %rax, (%r13, %rdx, 8)
        .raw(0xf6, 0xc1, 0x01) // test $1, %cl
        .raw(0x74, 0x08) // jz next
        .raw(0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff) // cmp $-4096, %rax
        .raw(0x77, 0x09) // ja end
        .raw(0x48, 0x83, 0xc3, 0x40) // next: add $64, %rbx
        .raw(0x49, 0xff, 0xcc) // dec %r12
        .raw(0xeb, 0xb6) // jmp start
        .raw(0xcc) // end: int3
        .bytes();
  }

  @Override
  public byte[] preparedForBatch(byte[] registerSet, long codeAddress, long tableAddress, int count) {
    byte[] prepared = registerSet.clone();
    ByteBuffer.wrap(prepared)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(SAVED_RBX, tableAddress)
        .putLong(SAVED_R13, tableAddress)
        .putLong(SAVED_R12, count)
        .putLong(SAVED_ORIG_RAX, -1)
        .putLong(SAVED_RIP, codeAddress);
    return prepared;
  }

  @Override
  public int batchCallsLeft(byte[] registerSet) {
    return (int) ByteBuffer.wrap(registerSet).order(ByteOrder.LITTLE_ENDIAN).getLong(SAVED_R12);
  }

  @Override
  public byte[] seed() {
    X8664Assembler code = new X8664Assembler(0);
    code.load(RAX, PRCTL).load(RDI, PR_SET_PDEATHSIG).load(RSI, SIGKILL).syscall();
    int loop = code.bytes().length;
    code.load(RAX, PAUSE).syscall();
    return code.raw(0xeb, loop - (code.bytes().length + 2)).bytes();
  }

  @Override
  public byte[] holder(long address, int lastDescriptor, String name) {
    byte[] text = (name + "\0/\0").getBytes(StandardCharsets.US_ASCII);
    long nameAddress = address + 2;
    long root = nameAddress + name.length() + 1;
    X8664Assembler code = new X8664Assembler(address);
    code.raw(0xeb, text.length).raw(text); // jmp over the data
    code.load(RAX, SETSID).syscall();
    code.load(RAX, CHDIR).load(RDI, root).syscall();
    code.load(RAX, PRCTL).load(RDI, PR_SET_NAME).load(RSI, nameAddress).syscall();
    code.load(RAX, CLOSE_RANGE).load(RDI, 0).load(RSI, 2).load(RDX, 0).syscall();
    code.load(RAX, CLOSE_RANGE).load(RDI, lastDescriptor + 1L).load(RSI, MAX_DESCRIPTOR).load(RDX, 0).syscall();
    // struct pollfd {fd 3, events POLLIN, revents 0} on the stack.
    code.load(RAX, 0x1_0000_0003L).raw(0x50); // push %rax
    int loop = code.bytes().length;
    code.load(RAX, PPOLL).raw(0x48, 0x89, 0xe7); // mov %rsp, %rdi
    code.load(RSI, 1).load(RDX, 0).load(R10, 0).load(R8, SIGNAL_SET_BYTES).syscall();
    code.raw(0x83, 0xf8, 0xfc); // cmp $-EINTR, %eax
    code.raw(0x74, loop - (code.bytes().length + 2)); // je loop
    return code.load(RAX, EXIT).load(RDI, 0).syscall().bytes();
  }

  @Override
  public int findSyscallInstruction(byte[] code) {
    for (int i = 0; i + 1 < code.length; i++) {
      if (code[i] == 0x0f && code[i + 1] == 0x05) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public int syscallInstructionBytes() {
    return 2;
  }
}
