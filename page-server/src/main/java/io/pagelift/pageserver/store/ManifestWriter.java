package io.pagelift.pageserver.store;

import com.google.protobuf.ByteString;
import io.pagelift.store.ManifestFormat;
import io.pagelift.store.Place;
import io.pagelift.store.RoundManifest;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.proto.RoundHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Writes a round's manifest. Runs go to the temporary file as they come, so that a round of any size takes 64 KiB of memory;
 * the header and the preamble follow at the end. Until {@link #publish} the file is called {@code *.part} and counts for
 * nothing.
 */
final class ManifestWriter {
  private final Path file;
  private final Path part;
  private final FileChannel channel;
  private final ByteBuffer buffer = ManifestFormat.runBuffer();
  private final CRC32C crc = new CRC32C();
  private long runCount;
  private long lengthBytes = ManifestFormat.PREAMBLE_BYTES;
  private long objectId;
  private long firstPage;
  private int pageCount;
  private long place;

  ManifestWriter(Path file) throws IOException {
    this.file = file;
    this.part = StoreLayout.partOf(file);
    this.channel = PrivateFiles.create(part);
  }

  /** Adds a run; one that continues the run before becomes part of it. */
  void add(long object, long first, int count, long runPlace) throws IOException {
    boolean continues =
        pageCount > 0
            && object == objectId
            && first == firstPage + pageCount
            && runPlace == Place.plus(place, pageCount)
            && count <= Integer.MAX_VALUE - pageCount;
    if (continues) {
      pageCount += count;
      return;
    }
    flushRun();
    objectId = object;
    firstPage = first;
    pageCount = count;
    place = runPlace;
  }

  /** Writes the rest and puts the temporary file on stable storage. */
  void finish(RoundHeader header, StableStorage storage) throws IOException {
    flushRun();
    pageCount = 0;
    flushBuffer();
    ByteString bytes = header.toByteString();
    CRC32C headerCrc = new CRC32C();
    headerCrc.update(bytes.asReadOnlyByteBuffer());
    writeInPieces(bytes);
    ByteBuffer preamble =
        ManifestFormat.preamble(runCount, (int) crc.getValue(), bytes.size(), (int) headerCrc.getValue());
    PrivateFiles.writeFully(channel, preamble, 0);
    storage.force(channel, part, true);
    channel.close();
  }

  /** Reads the finished file back before it has its name. */
  RoundManifest reopen(String name, int round) {
    return RoundManifest.open(part, name, round);
  }

  /** Gives the finished file its name. */
  void publish() throws IOException {
    PrivateFiles.rename(part, file);
  }

  /**
   * Removes what was written under the temporary name. What has its name stays: deletions reach the disk in any order, and a
   * manifest without its blobs would be damage.
   */
  void discard() throws IOException {
    channel.close();
    Files.deleteIfExists(part);
  }

  private void flushRun() throws IOException {
    if (pageCount == 0) {
      return;
    }
    ManifestFormat.putRun(buffer, objectId, firstPage, pageCount, place);
    if (++runCount > ManifestFormat.MAX_RUNS) {
      throw new IOException("more than " + ManifestFormat.MAX_RUNS + " runs in one round");
    }
    if (!buffer.hasRemaining()) {
      flushBuffer();
    }
  }

  private void flushBuffer() throws IOException {
    buffer.flip();
    crc.update(buffer.duplicate());
    int length = buffer.remaining();
    PrivateFiles.writeFully(channel, buffer, lengthBytes);
    lengthBytes += length;
    buffer.clear();
  }

  /** In pieces of the buffer's size: the JDK keeps a direct buffer as large as the largest heap buffer ever written. */
  private void writeInPieces(ByteString bytes) throws IOException {
    ByteBuffer left = bytes.asReadOnlyByteBuffer();
    while (left.hasRemaining()) {
      ByteBuffer piece = left.slice(left.position(), Math.min(buffer.capacity(), left.remaining()));
      left.position(left.position() + piece.remaining());
      int length = piece.remaining();
      PrivateFiles.writeFully(channel, piece, lengthBytes);
      lengthBytes += length;
    }
  }
}
