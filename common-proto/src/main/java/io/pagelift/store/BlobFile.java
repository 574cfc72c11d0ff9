package io.pagelift.store;

import io.pagelift.store.proto.Blob;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** A named blob of a round: a file of bare bytes; length and checksum stand in the round's header. */
public final class BlobFile {
  /** Bound of a blob: the image of a tree is a few kilobytes per thread and descriptor. */
  public static final long MAX_BYTES = 1L << 30;

  private static final int CHUNK_BYTES = 256 << 10;

  private BlobFile() {}

  /** Reads a blob whole. Throws a corrupt error when it is not what the header says. */
  static byte[] read(Path file, Blob blob) {
    try (FileChannel channel = open(file, blob)) {
      ByteBuffer bytes = ByteBuffer.allocate((int) blob.getLengthBytes());
      while (bytes.hasRemaining()) {
        // In chunks, since the JDK copies through a direct buffer of the same size, which it then keeps.
        int position = bytes.position();
        ByteBuffer chunk = bytes.slice(position, Math.min(CHUNK_BYTES, bytes.remaining()));
        ManifestFormat.readFully(channel, chunk, position);
        bytes.position(position + chunk.position());
      }
      CRC32C crc = new CRC32C();
      crc.update(bytes.flip().duplicate());
      if ((int) crc.getValue() != blob.getCrc32C()) {
        throw StoreErrors.corrupt(file, "its checksum is wrong");
      }
      return bytes.array();
    } catch (NoSuchFileException e) {
      throw StoreErrors.corrupt(file, "it is missing");
    } catch (EOFException e) {
      throw StoreErrors.corrupt(file, "it is shorter than its round says");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
  }

  private static FileChannel open(Path file, Blob blob) throws IOException {
    if (blob.getLengthBytes() < 0 || blob.getLengthBytes() > MAX_BYTES) {
      throw StoreErrors.corrupt(file, "its round claims " + blob.getLengthBytes() + " bytes for it");
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    long length = channel.size();
    if (length != blob.getLengthBytes()) {
      channel.close();
      throw StoreErrors.corrupt(file, "it has " + length + " bytes instead of " + blob.getLengthBytes());
    }
    return channel;
  }
}
