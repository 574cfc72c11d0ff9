package io.pagelift.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code /proc/PID/auxv}: the auxiliary vector that the kernel gave the program at its start, see getauxval(3). */
public final class ProcAuxv {
  private static final int PAIR_BYTES = 16;

  /** The vdso's address. */
  public static final long AT_SYSINFO_EHDR = 33;

  private ProcAuxv() {}

  /** The bytes, as PR_SET_MM_MAP takes them. */
  public static byte[] readRaw(int pid) {
    return ProcFile.read("/proc/" + pid + "/auxv");
  }

  /** Types and values in the kernel's order, up to AT_NULL. */
  public static Map<Long, Long> parse(byte[] raw) {
    ByteBuffer pairs = ByteBuffer.wrap(raw).order(ByteOrder.nativeOrder());
    Map<Long, Long> values = new LinkedHashMap<>();
    while (pairs.remaining() >= PAIR_BYTES) {
      long type = pairs.getLong();
      long value = pairs.getLong();
      if (type == 0) {
        break;
      }
      values.put(type, value);
    }
    return values;
  }
}
