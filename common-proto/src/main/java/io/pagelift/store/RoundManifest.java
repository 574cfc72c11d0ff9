package io.pagelift.store;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pagelift.store.proto.RoundHeader;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A committed round as it lies on disk: what the round changed, in order of arrival. Opening it checks everything but the
 * runs; reading the runs checks those. See {@link ManifestFormat} for the bytes.
 */
public final class RoundManifest {
  private final Path file;
  private final RoundHeader header;
  private final long runCount;
  private final int runsCrc32c;

  private RoundManifest(Path file, RoundHeader header, long runCount, int runsCrc32c) {
    this.file = file;
    this.header = header;
    this.runCount = runCount;
    this.runsCrc32c = runsCrc32c;
  }

  /**
   * Reads preamble and header. Throws a corrupt error when the file is not a whole manifest of this migration and round.
   *
   * @param name the migration that the file should belong to
   * @param round the round that it should describe
   */
  public static RoundManifest open(Path file, String name, int round) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ManifestFormat.Preamble preamble = ManifestFormat.readPreamble(channel, file);
      RoundHeader header = readHeader(channel, preamble, file);
      if (!header.getMigration().equals(name) || header.getRound() != round) {
        throw StoreErrors.corrupt(
            file, "it describes round " + header.getRound() + " of " + StoreLayout.quoted(header.getMigration()));
      }
      return new RoundManifest(file, header, preamble.runCount(), preamble.runsCrc32c());
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
  }

  private static RoundHeader readHeader(FileChannel channel, ManifestFormat.Preamble preamble, Path file)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(preamble.headerBytes());
    ManifestFormat.readFully(channel, bytes, preamble.headerOffset());
    CRC32C crc = new CRC32C();
    crc.update(bytes.flip().duplicate());
    if ((int) crc.getValue() != preamble.headerCrc32c()) {
      throw StoreErrors.corrupt(file, "the checksum of its header is wrong");
    }
    try {
      return RoundHeader.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw StoreErrors.corrupt(file, "its header cannot be decoded");
    }
  }

  /** The header. */
  public RoundHeader header() {
    return header;
  }

  /** Where it lies. */
  public Path file() {
    return file;
  }

  /** Number of runs. */
  public long runCount() {
    return runCount;
  }

  /**
   * Reads all runs in order of arrival. Throws a corrupt error at the end when their checksum is wrong: use nothing of what
   * the sink has seen before this returns.
   */
  public void forEachRun(RunSink sink) {
    CRC32C crc = new CRC32C();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer buffer = ManifestFormat.runBuffer();
      long left = runCount;
      long offset = ManifestFormat.PREAMBLE_BYTES;
      while (left > 0) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), left * ManifestFormat.RUN_BYTES));
        ManifestFormat.readFully(channel, buffer, offset);
        buffer.flip();
        offset += buffer.remaining();
        left -= buffer.remaining() / ManifestFormat.RUN_BYTES;
        crc.update(buffer.duplicate());
        while (buffer.hasRemaining()) {
          ManifestFormat.getRun(buffer, sink, file);
        }
      }
    } catch (EOFException e) {
      throw StoreErrors.corrupt(file, "it ends in the middle of its runs");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
    if ((int) crc.getValue() != runsCrc32c) {
      throw StoreErrors.corrupt(file, "the checksum of its runs is wrong");
    }
  }
}
