package io.pagelift.tests.harness;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A process's own copy of the vdso, as it is in memory. The dumper lends the zeros behind its image for the code that walks a
 * thread home; nothing else of it may ever change.
 *
 * @param image the bytes that the ELF headers account for
 * @param tail the rest of the mapping
 */
public record VdsoPage(ByteBuffer image, ByteBuffer tail) {
  private static final int SECTIONS_OFFSET = 40;
  private static final int SECTION_BYTES = 58;
  private static final int SECTION_COUNT = 60;

  /** Reads it through {@code /proc/PID/mem}; empty buffers when the process is gone or has none. */
  public static VdsoPage of(long pid) {
    for (String line : ProcessFacts.mappings(pid)) {
      if (line.endsWith("[vdso]")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-", -1);
        return read(pid, Long.parseLong(range[0], 16), Long.parseLong(range[1], 16));
      }
    }
    return new VdsoPage(ByteBuffer.allocate(0), ByteBuffer.allocate(0));
  }

  private static VdsoPage read(long pid, long start, long end) {
    byte[] bytes = new byte[(int) (end - start)];
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
      memory.seek(start);
      memory.readFully(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the vdso of process " + pid, e);
    }
    ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int used = (int) all.getLong(SECTIONS_OFFSET) + all.getShort(SECTION_BYTES) * all.getShort(SECTION_COUNT);
    return new VdsoPage(
        ByteBuffer.wrap(Arrays.copyOf(bytes, used)), ByteBuffer.wrap(Arrays.copyOfRange(bytes, used, bytes.length)));
  }

  /** How many bytes of the tail are not zero. */
  public int strayBytes() {
    int stray = 0;
    for (int i = 0; i < tail.limit(); i++) {
      stray += tail.get(i) == 0 ? 0 : 1;
    }
    return stray;
  }
}
