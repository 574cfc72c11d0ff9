package io.pagelift.linux;

import com.kenai.jffi.MemoryIO;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import jnr.ffi.LibraryLoader;
import jnr.ffi.LibraryOption;
import jnr.ffi.Runtime;

/**
 * System calls, raw: the only door to native code.
 *
 * <p>{@code call} never throws and returns what the kernel returns: a result, or a negative error number. {@link #check} turns
 * the latter into a {@link KernelException}. Every address given to the kernel must stay valid for the length of the call; use
 * {@link NativeBuffer}, or a direct buffer that the caller keeps reachable.
 */
public final class Kernel {
  /** The size of a page in bytes: what x86-64 has, whatever huge pages back a mapping. */
  public static final int PAGE_BYTES = 4096;

  /** The kernel returns errors as -1 to -4095; any other value is a result. */
  private static final long LOWEST_ERROR = -4095;

  private static final LibC LIBC =
      LibraryLoader.loadLibrary(
          LibC.class, Map.of(LibraryOption.LoadNow, Boolean.TRUE), "c");

  private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

  static {
    testSixthArgument();
  }

  private Kernel() {}

  /**
   * Makes sure that this JVM and jnr-ffi pass six arguments: wrong ones would write to wrong addresses. An anonymous mapping's
   * offset is not used but must be a multiple of the page size, which garbage hardly is.
   */
  private static void testSixthArgument() {
    long protectionNone = 0;
    long privateAnonymous = Constants.MAP_PRIVATE | Constants.MAP_ANONYMOUS;
    long offset = 5L * PAGE_BYTES;
    long address = call(SyscallNumbers.MMAP, 0, PAGE_BYTES, protectionNone, privateAnonymous, -1, offset);
    long refused = call(SyscallNumbers.MMAP, 0, PAGE_BYTES, protectionNone, privateAnonymous, -1, offset + 1);
    if (failed(address) || refused != -Errno.EINVAL) {
      throw new IllegalStateException(
          "jnr-ffi does not pass the sixth argument of a system call on this JVM: use another JDK or jnr-ffi");
    }
    call(SyscallNumbers.MUNMAP, address, PAGE_BYTES);
  }

  /** A system call without arguments. */
  public static long call(long number) {
    return result(LIBC.syscall(number));
  }

  /** A system call with one argument. */
  public static long call(long number, long a0) {
    return result(LIBC.syscall(number, a0));
  }

  /** A system call with two arguments. */
  public static long call(long number, long a0, long a1) {
    return result(LIBC.syscall(number, a0, a1));
  }

  /** A system call with three arguments. */
  public static long call(long number, long a0, long a1, long a2) {
    return result(LIBC.syscall(number, a0, a1, a2));
  }

  /** A system call with four arguments. */
  public static long call(long number, long a0, long a1, long a2, long a3) {
    return result(LIBC.syscall(number, a0, a1, a2, a3));
  }

  /** A system call with five arguments. */
  public static long call(long number, long a0, long a1, long a2, long a3, long a4) {
    // Number and five arguments would make six parameters, which jnr-ffi gets wrong: see LibC.
    return result(LIBC.syscall(number, a0, a1, a2, a3, a4, 0));
  }

  /** A system call with six arguments. */
  public static long call(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    return result(LIBC.syscall(number, a0, a1, a2, a3, a4, a5));
  }

  private static long result(long returned) {
    // The C library's syscall() gives -1 for every error and for nothing else.
    return returned == -1 ? -(long) RUNTIME.getLastError() : returned;
  }

  /** Whether a raw result is an error number, negated. */
  public static boolean failed(long result) {
    return result < 0 && result >= LOWEST_ERROR;
  }

  /**
   * Returns a result, or throws if it is an error.
   *
   * @param result what {@code call} returned
   * @param call the call's name for the message
   * @param pid the process concerned, or 0 for this one
   * @param object what the call was about, such as a path or {@code "fd 7"}; empty if there is nothing to say
   * @throws KernelException if the result is an error
   */
  public static long check(long result, String call, int pid, String object) {
    if (failed(result)) {
      throw new KernelException(call, (int) -result, pid, object);
    }
    return result;
  }

  /** {@link #check(long, String, int, String)} for a call that concerns this process. */
  public static long check(long result, String call, String object) {
    return check(result, call, 0, object);
  }

  /** The address of a direct buffer's first byte (index 0, not its position). The caller keeps the buffer reachable. */
  public static long address(ByteBuffer direct) {
    if (!direct.isDirect()) {
      throw new IllegalArgumentException("not a direct buffer");
    }
    return MemoryIO.getInstance().getDirectBufferAddress(direct.duplicate().clear());
  }

  /** A view of native memory in native byte order; the caller answers for its lifetime. */
  public static ByteBuffer view(long address, int lengthBytes) {
    return MemoryIO.getInstance()
        .newDirectByteBuffer(address, lengthBytes)
        .order(ByteOrder.nativeOrder());
  }

  /** The id of this process. */
  public static int pid() {
    return (int) call(SyscallNumbers.GETPID);
  }

  /** The kernel's id of the calling thread. */
  public static int tid() {
    return (int) call(SyscallNumbers.GETTID);
  }

  static LibC libc() {
    return LIBC;
  }
}
