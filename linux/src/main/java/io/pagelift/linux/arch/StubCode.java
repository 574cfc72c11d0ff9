package io.pagelift.linux.arch;

import java.util.List;

/**
 * The machine code that runs inside other processes.
 *
 * <p>All of it is generated for the place where it will lie and touches no vector or floating-point register.
 */
public interface StubCode {
  /** In a {@link CallSequence.Call}: no argument is the result of the call before. */
  int NO_RESULT = -1;

  /** The most arguments that a system call has. */
  int MAX_ARGUMENTS = 6;

  /** The length of one entry of a table of calls. */
  int ENTRY_BYTES = 64;

  /** The most bytes that {@link #walkHome} takes. */
  int walkHomeMaxBytes();

  /**
   * Code that puts a thread back to where it was: its signal mask by rt_sigprocmask(2), all general registers, and a jump. It
   * changes neither the stack pointer nor the flags, so both must be the thread's own when it is entered, and a signal may come
   * at any instruction of it.
   *
   * @param address where it will lie
   * @param registerSet the thread's registers, NT_PRSTATUS, with a restart of an interrupted call already done
   * @param signalMask the thread's signal mask
   */
  byte[] walkHome(long address, byte[] registerSet, long signalMask);

  /** Where {@link #walkHome} is entered, relative to its address. */
  int walkHomeEntryOffset();

  /**
   * Code that makes calls one after another, whatever they return, and then jumps. It uses no stack and changes no flags.
   *
   * @param address where it will lie
   * @param next where it jumps in the end
   */
  CallSequence callSequence(long address, List<CallSequence.Call> calls, long next);

  /**
   * Code that makes all calls of a table, whatever they return, sends the calling thread a signal and goes on with a sequence of
   * calls, like {@link #callSequence}. The table's entries are those of the batch executor; flags and forwards are not looked at.
   *
   * @param address where it will lie
   * @param tableAddress where the table is, writable
   * @param count how many entries it has, at least 1
   * @param signal the signal
   * @param afterwards the calls after the signal
   * @param next where it jumps in the end
   */
  CallSequence tableSequence(
      long address, long tableAddress, int count, int signal, List<CallSequence.Call> afterwards, long next);

  /**
   * The batch executor: makes the calls of a table and then executes a breakpoint instruction, its last. Position-independent;
   * the entry is its first byte.
   *
   * <p>An entry has {@value #ENTRY_BYTES} bytes: the call's number (u32), flags (u8: bit 0 ends the batch if the call fails),
   * the word of the table that gets a copy of the result (u24, 0 for none), six arguments and the result (u64 each).
   */
  byte[] batchExecutor();

  /**
   * Registers to start the batch executor with.
   *
   * @param registerSet NT_PRSTATUS of the thread
   * @param codeAddress where the executor is
   * @param tableAddress where the table is
   * @param count how many entries it has
   */
  byte[] preparedForBatch(byte[] registerSet, long codeAddress, long tableAddress, int count);

  /** How many entries were left when the batch ended, one that failed included: read from NT_PRSTATUS. */
  int batchCallsLeft(byte[] registerSet);

  /** Code for a seed process: asks to be killed when its parent dies and then sleeps for ever. Position-independent. */
  byte[] seed();

  /**
   * Code for a process that sleeps until the process behind a pidfd ends, and then exits. It leaves its session and working
   * directory and closes all descriptors but a range that starts at 3.
   *
   * @param address where it will lie
   * @param lastDescriptor the end of the range, inclusive; the pidfd is descriptor 3
   * @param name the name that it gives itself, at most 15 ASCII characters
   */
  byte[] holder(long address, int lastDescriptor, String name);

  /**
   * Finds an instruction that makes a system call.
   *
   * @return its offset, or -1
   */
  int findSyscallInstruction(byte[] code);

  /** The length of the instruction that makes a system call. */
  int syscallInstructionBytes();
}
