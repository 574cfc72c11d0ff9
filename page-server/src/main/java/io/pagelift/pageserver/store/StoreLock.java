package io.pagelift.pageserver.store;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.store.StoreLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;

/**
 * The right to write a store: a lock (fcntl(2) record lock) on its file {@code lock}, which the kernel drops when the process
 * ends, however it ends. The file holds the owner's pid, for the message only.
 */
final class StoreLock implements AutoCloseable {
  private static final int MAX_PID_DIGITS = 20;

  private final FileChannel channel;

  private StoreLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Takes the lock or throws a refused error that names the owner. */
  static StoreLock take(StoreLayout layout) throws IOException {
    FileChannel channel =
        FileChannel.open(
            PrivateFiles.createIfAbsent(layout.lockFile()), StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw inUse(layout, "process " + owner(channel));
      }
      channel.truncate(0);
      byte[] pid = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
      PrivateFiles.writeFully(channel, ByteBuffer.wrap(pid), 0);
      return new StoreLock(channel);
    } catch (OverlappingFileLockException e) {
      channel.close();
      throw inUse(layout, "this process");
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static String owner(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_PID_DIGITS);
    channel.read(bytes, 0);
    String text = StandardCharsets.US_ASCII.decode(bytes.flip()).toString();
    return text.matches("[0-9]+") ? text : "unknown";
  }

  private static PageliftException inUse(StoreLayout layout, String owner) {
    return new PageliftException(
        ErrorCategory.REFUSED,
        "The store " + layout.directory() + " is in use by another page-server (" + owner
            + "); stop that one, or give another directory by --store.");
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
