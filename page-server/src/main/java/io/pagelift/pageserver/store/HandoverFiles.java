package io.pagelift.pageserver.store;

import io.pagelift.store.HandoverFile;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.proto.HandoverRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;

/** Writes the decisions of handovers; each is on stable storage when a method returns. One caller at a time. */
public final class HandoverFiles {
  private final StoreLayout layout;
  private final StableStorage storage;

  HandoverFiles(StoreLayout layout, StableStorage storage) {
    this.layout = layout;
    this.storage = storage;
  }

  /** The last state of a round's handover; empty when none was prepared. */
  public Optional<HandoverRecord> last(String migration, int round) {
    return HandoverFile.read(layout.handoverFile(migration, round)).map(HandoverFile.Last::record);
  }

  /** Makes the file, at its full length, with its first state; one that exists is kept. The migration must exist. */
  public void prepare(String migration, int round, HandoverRecord first) {
    Path file = layout.handoverFile(migration, round);
    if (HandoverFile.read(file).isPresent()) {
      return;
    }
    storage.checkTrusted();
    try {
      Path part = StoreLayout.partOf(file);
      try (FileChannel channel = PrivateFiles.create(part)) {
        ByteBuffer whole = ByteBuffer.allocate(HandoverFile.FILE_BYTES).put(HandoverFile.slot(0, first)).rewind();
        PrivateFiles.writeFully(channel, whole, 0);
        storage.forceAlways(channel, part, true);
      }
      PrivateFiles.rename(part, file);
      storage.forceDirectoryAlways(layout.migrationDirectory(migration));
    } catch (IOException e) {
      throw WriteErrors.handoverLost(layout, e);
    }
  }

  /** Adds a state behind the last one. The handover must have been prepared. */
  public void add(String migration, int round, HandoverRecord next) {
    Path file = layout.handoverFile(migration, round);
    int slot = HandoverFile.read(file).orElseThrow().slot() + 1;
    if (slot == HandoverFile.SLOTS) {
      throw new IllegalStateException("no slot is left in " + file);
    }
    storage.checkTrusted();
    try (FileChannel channel = PrivateFiles.openForWriting(file)) {
      PrivateFiles.writeFully(channel, HandoverFile.slot(slot, next), HandoverFile.offsetBytes(slot));
      storage.forceAlways(channel, file, false);
    } catch (IOException e) {
      throw WriteErrors.handoverLost(layout, e);
    }
  }
}
