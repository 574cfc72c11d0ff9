package io.pagelift.linux;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * File names as strings without loss: the kernel's names are bytes, not text.
 *
 * <p>Valid UTF-8 becomes ordinary text. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC80 to U+DCFF, and
 * back. Such a string must not pass through anything that insists on valid Unicode; carry {@link #encode} bytes there.
 */
public final class FileNames {
  private static final char ESCAPE_BASE = 0xdc00;
  private static final char FIRST_ESCAPE = 0xdc80;
  private static final char LAST_ESCAPE = 0xdcff;

  private FileNames() {}

  /** The string for a name's bytes. */
  public static String decode(byte[] name) {
    return decode(name, 0, name.length);
  }

  /** The string for a part of an array. */
  public static String decode(byte[] array, int offset, int length) {
    if (isAscii(array, offset, length)) {
      return new String(array, offset, length, StandardCharsets.ISO_8859_1);
    }
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(array, offset, length);
    CharBuffer out = CharBuffer.allocate(length + 1);
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (!result.isError()) {
        break;
      }
      out.put((char) (ESCAPE_BASE + (in.get() & 0xff)));
      decoder.reset();
    }
    return out.flip().toString();
  }

  private static boolean isAscii(byte[] array, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      if (array[i] < 0) {
        return false;
      }
    }
    return true;
  }

  /** The bytes of a name that {@link #decode} made, or of any text. */
  public static byte[] encode(String name) {
    if (!name.chars().anyMatch(c -> c >= FIRST_ESCAPE && c <= LAST_ESCAPE)) {
      return name.getBytes(StandardCharsets.UTF_8);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(name.length());
    int start = 0;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean lone = c >= FIRST_ESCAPE && c <= LAST_ESCAPE && !(i > 0 && Character.isHighSurrogate(name.charAt(i - 1)));
      if (lone) {
        bytes.writeBytes(name.substring(start, i).getBytes(StandardCharsets.UTF_8));
        bytes.write(c - ESCAPE_BASE);
        start = i + 1;
      }
    }
    bytes.writeBytes(name.substring(start).getBytes(StandardCharsets.UTF_8));
    return bytes.toByteArray();
  }
}
