package io.pagelift.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * The file {@code STORE}, which says what the directory is.
 *
 * <pre>
 * +0   8  magic "PLSTORE1"
 * +8   4  format version, 2
 * +12  4  bytes of a page, 4096
 * +16  4  CRC32C of bytes 0..15
 * </pre>
 */
public final class StoreFile {
  private static final long MAGIC = 0x3145_524f_5453_4c50L; // "PLSTORE1"
  private static final int VERSION = 2;
  private static final int BYTES = 20;

  private StoreFile() {}

  /** The file's bytes, ready to be written. */
  public static ByteBuffer bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(MAGIC).putInt(VERSION).putInt(StoreLayout.PAGE_BYTES);
    return bytes.putInt(crc(bytes)).flip();
  }

  /** Throws a usage error when the directory is no store, a refused one for a format not known, a corrupt one when the file is damaged. */
  public static void check(StoreLayout layout) {
    Path file = layout.storeFile();
    if (!Files.isDirectory(layout.directory())) {
      throw new PageliftException(ErrorCategory.USAGE, noStore(layout.directory()));
    }
    ByteBuffer bytes = ByteBuffer.allocate(BYTES + 1).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // A regular file: this ends at its end.
      }
    } catch (NoSuchFileException e) {
      throw new PageliftException(ErrorCategory.USAGE, noStore(layout.directory()), e);
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
    if (bytes.position() != BYTES || bytes.getLong(0) != MAGIC) {
      throw StoreErrors.corrupt(file, "it is not the head of a page store");
    }
    if (bytes.getInt(16) != crc(bytes)) {
      throw StoreErrors.corrupt(file, "its checksum is wrong");
    }
    if (bytes.getInt(8) != VERSION || bytes.getInt(12) != StoreLayout.PAGE_BYTES) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "The store " + layout.directory() + " has format version " + bytes.getInt(8) + " with pages of " + bytes.getInt(12)
              + " bytes, this program knows version " + VERSION + " with 4096; use the version of Pagelift that wrote it.");
    }
  }

  private static String noStore(Path directory) {
    if (Files.isDirectory(directory)) {
      return "The directory " + directory + " is not a page store (it has no file STORE); give the directory of a page-server.";
    }
    String what = Files.exists(directory) ? directory + " is not a directory" : "There is no directory " + directory;
    return what + "; give the store directory of a page-server.";
  }

  @SuppressWarnings("ByteBufferBackingArray") // both buffers come from ByteBuffer.allocate(int)
  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.array(), 0, BYTES - 4);
    return (int) crc.getValue();
  }
}
