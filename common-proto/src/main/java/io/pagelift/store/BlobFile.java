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

/** A named blob of a round: a file of bare bytes; its length and checksum stand in the round's header. */
public final class BlobFile {
  /** Bound of a blob: the image of a tree is a few kilobytes per thread and descriptor. */
  public static final long MAX_BYTES = 1L << 30;

  /** Bytes per read: the JDK keeps a direct buffer as large as the largest read into a heap buffer. */
  private static final int CHUNK_BYTES = 256 << 10;

  private final Path file;
  private final Blob blob;

  BlobFile(Path file, Blob blob) {
    this.file = file;
    this.blob = blob;
  }

  /** The blob's length as the round's header says it, at most {@link #MAX_BYTES}. */
  public long lengthBytes() {
    long length = blob.getLengthBytes();
    if (length < 0 || length > MAX_BYTES) {
      throw StoreErrors.corrupt(file, "its round claims " + length + " bytes for it");
    }
    return length;
  }

  /** Reads the blob whole and checks it. Throws a corrupt error when it is not what the header says. */
  public byte[] read() {
    ByteBuffer bytes = ByteBuffer.allocate((int) lengthBytes());
    forEachChunk(bytes::put);
    return bytes.array();
  }

  /** Reads the blob through and checks it, without keeping it. */
  public void check() {
    forEachChunk(chunk -> {});
  }

  /**
   * Reads a part, unchecked: {@link #check} has been called before.
   *
   * @param offsetBytes where it begins, 0 to the length
   * @param into filled until it is full or the blob ends; its position moves
   */
  public void readPart(long offsetBytes, ByteBuffer into) {
    int limit = into.limit();
    into.limit((int) Math.min(limit, into.position() + Math.max(0, lengthBytes() - offsetBytes)));
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ManifestFormat.readFully(channel, into, offsetBytes);
    } catch (EOFException e) {
      throw StoreErrors.corrupt(file, "it is shorter than its round says");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    } finally {
      into.limit(limit);
    }
  }

  private interface ChunkSink {
    void chunk(ByteBuffer chunk);
  }

  private void forEachChunk(ChunkSink sink) {
    CRC32C crc = new CRC32C();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() != lengthBytes()) {
        throw StoreErrors.corrupt(file, "it has " + channel.size() + " bytes instead of " + lengthBytes());
      }
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
      for (long at = 0; at < lengthBytes(); ) {
        chunk.clear().limit((int) Math.min(CHUNK_BYTES, lengthBytes() - at));
        ManifestFormat.readFully(channel, chunk, at);
        at += chunk.flip().remaining();
        crc.update(chunk.duplicate());
        sink.chunk(chunk);
      }
    } catch (NoSuchFileException e) {
      throw StoreErrors.corrupt(file, "it is missing");
    } catch (EOFException e) {
      throw StoreErrors.corrupt(file, "it is shorter than its round says");
    } catch (IOException e) {
      throw StoreErrors.unreadable(file, e);
    }
    if ((int) crc.getValue() != blob.getCrc32C()) {
      throw StoreErrors.corrupt(file, "its checksum is wrong");
    }
  }
}
