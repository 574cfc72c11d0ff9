package io.pagelift.linux.inject;

import io.pagelift.linux.Errno;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.arch.StubCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * System calls to be made in one go, in order, and the data that they point at.
 *
 * <pre>
 * entry of the table, 64 bytes, little-endian
 * +--------+-------+----------------------+-----------+-----+-----------+--------+
 * | number | flags | forward: word of the | argument0 | ... | argument5 | result |
 * | u32    | u8    | table, 0: none, u24  | u64       |     | u64       | i64    |
 * +--------+-------+----------------------+-----------+-----+-----------+--------+
 * </pre>
 *
 * The data lie in scratch memory of the process: {@link #data} returns the address that they will have there.
 */
public final class Batch {
  static final int ENTRY_BYTES = StubCode.ENTRY_BYTES;
  static final int FLAG_REQUIRED = 1;
  private static final long NUMBER_MASK = 0xffff_ffffL;
  private static final int FLAGS_SHIFT = 32;
  private static final int FORWARD_SHIFT = 40;
  private static final int ENTRY_WORDS = ENTRY_BYTES / Long.BYTES;
  private static final int ALIGNMENT = 16;

  private final int maxEntries;
  private final long scratchAddress;
  private final int scratchBytes;
  private long[] table;
  private byte[] scratch;
  private int size;
  private int scratchUsed;

  Batch(int maxEntries, long scratchAddress, int scratchBytes) {
    this.maxEntries = maxEntries;
    this.scratchAddress = scratchAddress;
    this.scratchBytes = scratchBytes;
    this.table = new long[Math.min(maxEntries, 16) * ENTRY_WORDS];
    this.scratch = new byte[Math.min(scratchBytes, 1024)];
  }

  /**
   * Adds a call that may fail.
   *
   * @return its index
   */
  public int add(long number, long... arguments) {
    return add(number, 0, arguments);
  }

  /**
   * Adds a call that must succeed: if it returns an error, the calls after it are not made.
   *
   * @return its index
   */
  public int require(long number, long... arguments) {
    return add(number, FLAG_REQUIRED, arguments);
  }

  private int add(long number, int flags, long... arguments) {
    if (arguments.length > StubCode.MAX_ARGUMENTS) {
      throw new IllegalArgumentException("a system call has at most 6 arguments, not " + arguments.length);
    }
    if (size == maxEntries) {
      throw new KernelException("batch", Errno.E2BIG, 0, "more than " + maxEntries + " calls");
    }
    int word = size * ENTRY_WORDS;
    if (word + ENTRY_WORDS > table.length) {
      table = Arrays.copyOf(table, table.length * 2);
    }
    table[word] = (number & NUMBER_MASK) | ((long) flags << FLAGS_SHIFT);
    System.arraycopy(arguments, 0, table, word + 1, arguments.length);
    return size++;
  }

  /**
   * Makes the result of one call an argument of a later one. A result goes to one place at most.
   *
   * @param from index of the call whose result it is
   * @param to index of a later call
   * @param argument which argument of it, 0 to 5
   */
  public void forwardResult(int from, int to, int argument) {
    if (from < 0 || from >= to || to >= size || argument < 0 || argument >= StubCode.MAX_ARGUMENTS) {
      throw new IllegalArgumentException("forward of " + from + " to argument " + argument + " of " + to);
    }
    long word = (long) to * ENTRY_WORDS + 1 + argument;
    int head = from * ENTRY_WORDS;
    table[head] = (table[head] & ((1L << FORWARD_SHIFT) - 1)) | (word << FORWARD_SHIFT);
  }

  /**
   * Adds data.
   *
   * @return their address in the process, a multiple of 16
   */
  public long data(byte[] content) {
    long address = reserve(content.length);
    System.arraycopy(content, 0, scratch, (int) (address - scratchAddress), content.length);
    return address;
  }

  /**
   * Adds a string with the NUL that ends it.
   *
   * @return its address in the process
   */
  public long string(byte[] name) {
    long address = reserve(name.length + 1);
    System.arraycopy(name, 0, scratch, (int) (address - scratchAddress), name.length);
    return address;
  }

  /**
   * Reserves zeroed room, such as for a result.
   *
   * @return its address in the process, a multiple of 16
   */
  public long reserve(int lengthBytes) {
    int start = scratchUsed;
    long end = (long) start + lengthBytes + (-lengthBytes & (ALIGNMENT - 1));
    if (lengthBytes < 0 || end > scratchBytes) {
      throw new KernelException("batch", Errno.E2BIG, 0, "more than " + scratchBytes + " bytes of data");
    }
    if (end > scratch.length) {
      scratch = Arrays.copyOf(scratch, Math.max((int) end, scratch.length * 2));
    }
    scratchUsed = (int) end;
    return scratchAddress + start;
  }

  /** How many calls it holds. */
  public int size() {
    return size;
  }

  /** How many more calls it can take. */
  public int entriesLeft() {
    return maxEntries - size;
  }

  /** How many more bytes of data it can take. */
  public int scratchBytesLeft() {
    return scratchBytes - scratchUsed;
  }

  /** The number of one of its calls. */
  long number(int index) {
    return table[index * ENTRY_WORDS] & NUMBER_MASK;
  }

  long[] arguments(int index) {
    int first = index * ENTRY_WORDS + 1;
    return Arrays.copyOfRange(table, first, first + StubCode.MAX_ARGUMENTS);
  }

  byte[] tableBytes() {
    ByteBuffer bytes = ByteBuffer.allocate(size * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(table, 0, size * ENTRY_WORDS);
    return bytes.array();
  }

  byte[] scratchContent() {
    return Arrays.copyOf(scratch, scratchUsed);
  }
}
