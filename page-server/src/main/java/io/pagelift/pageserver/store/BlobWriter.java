package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.proto.Blob;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Writes one blob of a round as its parts arrive, in order and without gaps. */
final class BlobWriter {
  private final String name;
  private final Path file;
  private final Path part;
  private final long totalBytes;
  private final FileChannel channel;
  private final CRC32C crc = new CRC32C();
  private long writtenBytes;

  BlobWriter(String name, Path file, long totalBytes) throws IOException {
    this.name = name;
    this.file = file;
    this.part = StoreLayout.partOf(file);
    this.totalBytes = totalBytes;
    this.channel = PrivateFiles.create(part);
  }

  /** Takes the next part; the payload's position moves. */
  void append(long offsetBytes, long total, ByteBuffer payload) throws IOException {
    if (total != totalBytes || offsetBytes != writtenBytes || payload.remaining() > totalBytes - writtenBytes) {
      throw new PageliftException(
          ErrorCategory.USAGE,
          "A part of blob '" + name + "' does not fit: bytes " + offsetBytes + " to " + (offsetBytes + payload.remaining())
              + " of " + total + " after byte " + writtenBytes + " of " + totalBytes + "; parts come in order, without gaps.");
    }
    crc.update(payload.duplicate());
    int length = payload.remaining();
    PrivateFiles.writeFully(channel, payload, writtenBytes);
    writtenBytes += length;
  }

  boolean whole() {
    return writtenBytes == totalBytes;
  }

  String name() {
    return name;
  }

  /** Puts the temporary file on stable storage. */
  Blob finish(StableStorage storage) throws IOException {
    storage.force(channel, part, true);
    channel.close();
    return Blob.newBuilder().setName(name).setLengthBytes(totalBytes).setCrc32C((int) crc.getValue()).build();
  }

  /** Gives the finished file its name. */
  void publish() throws IOException {
    PrivateFiles.rename(part, file);
  }

  /** Removes what was written under the temporary name; what has its name is dropped at the next start or written over. */
  void discard() throws IOException {
    channel.close();
    Files.deleteIfExists(part);
  }
}
