package io.pagelift.linux.inject;

import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.arch.CallSequence;
import io.pagelift.linux.arch.StubCode;

/**
 * A system call that undoes another one: the target makes it by itself if the tracer dies, and for the tracer otherwise.
 *
 * <p>One argument may stand for the result of the call that is undone. If the tracer dies and that call fails, the cleanup is made
 * all the same with the error number for an argument, which close(2) and munmap(2) refuse without effect: a call for which that is
 * not so is no cleanup.
 */
public final class Cleanup {
  private final CallSequence.Call call;

  private Cleanup(CallSequence.Call call) {
    this.call = call;
  }

  /** {@code close(result)}, for a call that opens a descriptor. */
  public static Cleanup closeResult() {
    return new Cleanup(new CallSequence.Call(SyscallNumbers.CLOSE, 0));
  }

  /** {@code munmap(result, lengthBytes)}, for mmap(2). */
  public static Cleanup unmapResult(long lengthBytes) {
    return new Cleanup(new CallSequence.Call(SyscallNumbers.MUNMAP, 0, 0, lengthBytes));
  }

  /** A call with fixed arguments, at most six. */
  public static Cleanup call(long number, long... arguments) {
    return new Cleanup(new CallSequence.Call(number, StubCode.NO_RESULT, arguments));
  }

  CallSequence.Call call() {
    return call;
  }
}
