package io.pagelift.linux;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Parses the text of {@code maps} and {@code smaps}.
 *
 * <pre>
 * start-end perms offset major:minor inode            path
 * 7f1c-7f1d r-xp  1000   fe:00       1234             /usr/lib/x.so
 * </pre>
 *
 * <p>The path is the rest of the line after the blanks that follow the inode. The kernel writes a line feed in it as {@code
 * \012} and escapes nothing else, so a name that truly holds the four characters {@code \012} can't be told apart.
 */
final class MapsParser {
  private final byte[] raw;
  private int at;

  private MapsParser(byte[] raw) {
    if (raw.length > 0 && raw[raw.length - 1] != '\n') {
      throw new IllegalArgumentException("the text of maps is cut off in the middle of a line");
    }
    this.raw = raw;
  }

  static List<MemoryMap> maps(byte[] raw) {
    MapsParser parser = new MapsParser(raw);
    List<MemoryMap> maps = new ArrayList<>(raw.length / 80 + 1);
    while (parser.at < raw.length) {
      maps.add(parser.mapping());
    }
    return maps;
  }

  static List<MemoryMapDetail> details(byte[] raw) {
    MapsParser parser = new MapsParser(raw);
    List<MemoryMapDetail> details = new ArrayList<>();
    while (parser.at < raw.length) {
      details.add(parser.detail());
    }
    return details;
  }

  private MemoryMapDetail detail() {
    MemoryMap map = mapping();
    Map<String, Long> sizes = new HashMap<>();
    Set<String> flags = new LinkedHashSet<>();
    int key = 0;
    // A line of figures starts with a capital letter, the next mapping with a digit or a small one.
    while (at < raw.length && raw[at] >= 'A' && raw[at] <= 'Z') {
      String name = until(':');
      String value = until('\n').trim();
      if (name.equals("VmFlags")) {
        flags.addAll(List.of(value.split(" +", -1)));
      } else if (name.equals("ProtectionKey")) {
        key = Integer.parseInt(value);
      } else if (value.endsWith(" kB")) {
        sizes.put(name, Long.parseLong(value.substring(0, value.length() - 3)) << 10);
      }
    }
    return new MemoryMapDetail(map, Map.copyOf(sizes), key, Set.copyOf(flags));
  }

  private MemoryMap mapping() {
    long start = hex('-');
    long end = hex(' ');
    int protection =
        (raw[at] == 'r' ? Constants.PROT_READ : 0)
            | (raw[at + 1] == 'w' ? Constants.PROT_WRITE : 0)
            | (raw[at + 2] == 'x' ? Constants.PROT_EXEC : 0);
    boolean shared = raw[at + 3] == 's';
    at += 5;
    long offset = hex(' ');
    int major = (int) hex(':');
    int minor = (int) hex(' ');
    long inode = 0;
    while (raw[at] >= '0' && raw[at] <= '9') {
      inode = inode * 10 + raw[at++] - '0';
    }
    while (raw[at] == ' ') {
      at++;
    }
    return new MemoryMap(start, end, protection, shared, offset, major, minor, inode, path());
  }

  private String path() {
    int start = at;
    boolean escaped = false;
    while (raw[at] != '\n') {
      escaped |= raw[at] == '\\';
      at++;
    }
    String path = at == start ? "" : FileNames.decode(raw, start, at - start);
    at++;
    return escaped ? path.replace("\\012", "\n") : path;
  }

  private long hex(char end) {
    long value = 0;
    while (raw[at] != end) {
      int digit = Character.digit(raw[at], 16);
      if (digit < 0) {
        throw new IllegalArgumentException("not a line of maps at byte " + at);
      }
      value = (value << 4) | digit;
      at++;
    }
    at++;
    return value;
  }

  private String until(char end) {
    int start = at;
    while (raw[at] != end) {
      at++;
    }
    return FileNames.decode(raw, start, at++ - start);
  }
}
