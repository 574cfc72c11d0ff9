package io.pagelift.linux.inject;

import io.pagelift.linux.SyscallNumbers;
import java.util.Arrays;

/**
 * A system call that undoes another one: the target makes it by itself if the tracer dies, and for the tracer otherwise.
 *
 * <p>One argument may stand for the result of the call that is undone. If that call failed, the cleanup is made with its error
 * number for an argument, which close(2) and munmap(2) refuse without effect: a call for which that is not so is no cleanup.
 */
public final class Cleanup {
  private static final int NO_RESULT = -1;

  private final long number;
  private final long[] arguments;
  private final int resultIndex;

  private Cleanup(long number, int resultIndex, long... arguments) {
    this.number = number;
    this.resultIndex = resultIndex;
    this.arguments = Arrays.copyOf(arguments, Calls.MAX_ARGUMENTS);
  }

  /** {@code close(result)}, for a call that opens a descriptor. */
  public static Cleanup closeResult() {
    return new Cleanup(SyscallNumbers.CLOSE, 0);
  }

  /** {@code munmap(result, lengthBytes)}, for mmap(2). */
  public static Cleanup unmapResult(long lengthBytes) {
    return new Cleanup(SyscallNumbers.MUNMAP, 0, 0, lengthBytes);
  }

  /** A call with fixed arguments, at most six. */
  public static Cleanup call(long number, long... arguments) {
    return new Cleanup(number, NO_RESULT, Calls.checked(arguments));
  }

  long number() {
    return number;
  }

  long argument(int index) {
    return arguments[index];
  }

  /** The argument that is the result of the call undone, or -1. */
  int resultIndex() {
    return resultIndex;
  }

  /** The same with the result known. */
  Cleanup resolved(long result) {
    if (resultIndex == NO_RESULT) {
      return this;
    }
    long[] known = arguments.clone();
    known[resultIndex] = result;
    return new Cleanup(number, NO_RESULT, known);
  }
}
