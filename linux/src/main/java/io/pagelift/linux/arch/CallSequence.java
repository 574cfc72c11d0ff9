package io.pagelift.linux.arch;

import java.util.Arrays;

/** Generated code that makes system calls, for one place in memory. */
public final class CallSequence {
  private final byte[] code;
  private final long firstReturn;

  CallSequence(byte[] code, long firstReturn) {
    this.code = code;
    this.firstReturn = firstReturn;
  }

  /** The code, a copy. */
  public byte[] code() {
    return code.clone();
  }

  /** How long the code is. */
  public int lengthBytes() {
    return code.length;
  }

  /** The address after the first call's system-call instruction; for a table, after that of the call that sends the signal. */
  public long firstReturn() {
    return firstReturn;
  }

  /** One call, immutable. */
  public static final class Call {
    private final long number;
    private final int resultIndex;
    private final long[] arguments;

    /**
     * A call.
     *
     * @param number the call's number
     * @param resultIndex which argument is the result of the call before it, or {@link StubCode#NO_RESULT}
     * @param arguments at most six; those not given are 0
     */
    public Call(long number, int resultIndex, long... arguments) {
      if (arguments.length > StubCode.MAX_ARGUMENTS) {
        throw new IllegalArgumentException("a system call has at most 6 arguments, not " + arguments.length);
      }
      this.number = number;
      this.resultIndex = resultIndex;
      this.arguments = Arrays.copyOf(arguments, StubCode.MAX_ARGUMENTS);
    }

    /** A call with fixed arguments. */
    public static Call of(long number, long... arguments) {
      return new Call(number, StubCode.NO_RESULT, arguments);
    }

    long number() {
      return number;
    }

    int resultIndex() {
      return resultIndex;
    }

    long argument(int index) {
      return arguments[index];
    }

    /** The same with the result known. */
    public Call resolved(long result) {
      if (resultIndex == StubCode.NO_RESULT) {
        return this;
      }
      Call call = new Call(number, StubCode.NO_RESULT, arguments);
      call.arguments[resultIndex] = result;
      return call;
    }
  }
}
