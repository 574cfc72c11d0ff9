package io.pagelift.linux;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Reads whole files of {@code /proc}, whose length is not known before they have been read.
 *
 * <p>Only the system calls and one copy; parsing is left to the record classes. The kernel gives most of these files one page
 * at a time, so a file that changes meanwhile can be torn between two reads.
 */
public final class ProcFile {
  /** More than any honest file of /proc: 64 MiB of maps is half a million mappings. */
  private static final int LONGEST_BYTES = 64 << 20;

  private ProcFile() {}

  /** The file's bytes. ENOENT or ESRCH: the process is gone; see {@link KernelException#processGone()}. */
  public static byte[] read(String path) {
    try (FileDescriptor file = FileDescriptor.open(path, Constants.O_RDONLY)) {
      return read(file);
    }
  }

  private static byte[] read(FileDescriptor file) {
    Scratch scratch = Scratch.ofThread();
    byte[] collected = new byte[0];
    int length = 0;
    while (true) {
      int count = file.read(scratch.structAddress(), Scratch.STRUCT_BYTES);
      if (count == 0) {
        return length == collected.length ? collected : Arrays.copyOf(collected, length);
      }
      if (length + count > LONGEST_BYTES) {
        throw new KernelException("read", Errno.EFBIG, 0, file.object());
      }
      if (length + count > collected.length) {
        collected = Arrays.copyOf(collected, Math.max(length + count, 2 * collected.length));
      }
      scratch.struct().get(0, collected, length, count);
      length += count;
    }
  }

  /** The file as text; see {@link FileNames} for bytes that are not UTF-8. */
  public static String text(String path) {
    return FileNames.decode(read(path));
  }

  /** The file's text without blanks and line feeds at its ends: for files of one value. */
  public static String value(String path) {
    return text(path).trim();
  }

  /** Writes a value to a file of {@code /proc} in one write, which is what the kernel wants. */
  public static void write(String path, String value) {
    try (FileDescriptor file = FileDescriptor.open(path, Constants.O_WRONLY)) {
      file.writeFully(FileNames.encode(value));
    }
  }

  /** The file's lines without their line feeds. */
  public static List<String> lines(String path) {
    return lines(read(path));
  }

  static List<String> lines(byte[] raw) {
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < raw.length; i++) {
      if (raw[i] == '\n') {
        lines.add(FileNames.decode(raw, start, i - start));
        start = i + 1;
      }
    }
    if (start < raw.length) {
      lines.add(FileNames.decode(raw, start, raw.length - start));
    }
    return lines;
  }

  /** NUL-separated strings, as in {@code cmdline} and {@code environ}. */
  static List<String> nulSeparated(byte[] raw) {
    List<String> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < raw.length; i++) {
      if (raw[i] == 0) {
        strings.add(FileNames.decode(raw, start, i - start));
        start = i + 1;
      }
    }
    if (start < raw.length) {
      strings.add(FileNames.decode(raw, start, raw.length - start));
    }
    return strings;
  }

  /** The names in a directory without {@code .} and {@code ..}, in the kernel's order. */
  public static List<String> names(String directory) {
    List<String> names = new ArrayList<>();
    try (FileDescriptor open = FileDescriptor.open(directory, Constants.O_RDONLY | Constants.O_DIRECTORY)) {
      Scratch scratch = Scratch.ofThread();
      while (true) {
        long result =
            Kernel.call(SyscallNumbers.GETDENTS64, open.number(), scratch.structAddress(), Scratch.STRUCT_BYTES);
        int filled = (int) Kernel.check(result, "getdents64", directory);
        if (filled == 0) {
          return names;
        }
        addNames(scratch, filled, names);
      }
    }
  }

  /** Entries are: inode u64, offset u64, record length u16, type u8, name, NUL. */
  private static void addNames(Scratch scratch, int filled, List<String> names) {
    int at = 0;
    while (at < filled) {
      int recordBytes = scratch.struct().getShort(at + 16) & 0xffff;
      int end = at + 19;
      while (scratch.struct().get(end) != 0) {
        end++;
      }
      byte[] name = new byte[end - at - 19];
      scratch.struct().get(at + 19, name);
      String text = FileNames.decode(name);
      if (!text.equals(".") && !text.equals("..")) {
        names.add(text);
      }
      at += recordBytes;
    }
  }

  /** The names in a directory that are numbers, ascending: processes, threads or descriptors. */
  public static List<Integer> numbers(String directory) {
    List<Integer> numbers = new ArrayList<>();
    for (String name : names(directory)) {
      if (!name.isEmpty() && name.charAt(0) >= '0' && name.charAt(0) <= '9') {
        numbers.add(Integer.parseInt(name));
      }
    }
    Collections.sort(numbers);
    return numbers;
  }
}
