package io.pagelift.store;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pagelift.store.proto.HandoverRecord;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What was decided about the image of a round: who may run it.
 *
 * <p>The file has its full length from the moment it is made, before the source is frozen, so that a disk that fills up later cannot keep
 * the decision from being written. Each further state goes to the next of eight slots; a slot is one sector, and one that was torn by a
 * crash is as if it had never been written. The last whole slot counts.
 *
 * <pre>
 * slot i, at byte 512 * i, little-endian
 * +0   8  magic "PLHANDOV"
 * +8   4  i
 * +12  4  length of the record, 0 to 492
 * +16  4  CRC32C of bytes 0..15 and of the record
 * +20     record: protobuf HandoverRecord
 * </pre>
 */
public final class HandoverFile {
  /** Length of the whole file. */
  public static final int FILE_BYTES = 4096;

  /** States that fit, more than there are. */
  public static final int SLOTS = 8;

  private static final int SLOT_BYTES = FILE_BYTES / SLOTS;
  private static final int HEAD_BYTES = 20;
  private static final long MAGIC = 0x564f_444e_4148_4c50L; // "PLHANDOV"

  private HandoverFile() {}

  /**
   * The last state that was written, with its slot.
   *
   * @param slot 0 to 7
   */
  public record Last(int slot, HandoverRecord record) {}

  /** The last state in a file; empty when there is no such file, a corrupt error when no slot is whole. */
  public static Optional<Last> read(Path file) {
    ByteBuffer bytes = ByteBuffer.allocate(FILE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ManifestFormat.readFully(channel, bytes, 0);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (EOFException e) {
      throw StoreErrors.corrupt(file, "it is shorter than " + FILE_BYTES + " bytes");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
    for (int slot = SLOTS - 1; slot >= 0; slot--) {
      Optional<HandoverRecord> record = record(bytes, slot);
      if (record.isPresent()) {
        return Optional.of(new Last(slot, record.get()));
      }
    }
    throw StoreErrors.corrupt(file, "no state in it is whole");
  }

  /** The bytes of a slot, to be written at {@link #offsetBytes}. */
  public static ByteBuffer slot(int slot, HandoverRecord record) {
    byte[] body = record.toByteArray();
    if (body.length > SLOT_BYTES - HEAD_BYTES) {
      throw new IllegalArgumentException("a record of " + body.length + " bytes");
    }
    ByteBuffer bytes = ByteBuffer.allocate(SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(MAGIC).putInt(slot).putInt(body.length).putInt(0).put(body);
    bytes.putInt(HEAD_BYTES - 4, crc(bytes, 0, body.length));
    return bytes.rewind();
  }

  /** Where a slot lies in its file. */
  public static long offsetBytes(int slot) {
    return (long) slot * SLOT_BYTES;
  }

  private static Optional<HandoverRecord> record(ByteBuffer bytes, int slot) {
    int at = slot * SLOT_BYTES;
    int length = bytes.getInt(at + 12);
    if (bytes.getLong(at) != MAGIC || bytes.getInt(at + 8) != slot || length < 0 || length > SLOT_BYTES - HEAD_BYTES
        || bytes.getInt(at + HEAD_BYTES - 4) != crc(bytes, at, length)) {
      return Optional.empty();
    }
    try {
      return Optional.of(HandoverRecord.parseFrom(bytes.slice(at + HEAD_BYTES, length)));
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  private static int crc(ByteBuffer bytes, int at, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(at, HEAD_BYTES - 4));
    crc.update(bytes.slice(at + HEAD_BYTES, length));
    return (int) crc.getValue();
  }
}
