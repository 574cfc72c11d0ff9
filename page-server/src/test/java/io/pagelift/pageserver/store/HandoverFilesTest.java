package io.pagelift.pageserver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.store.HandoverFile;
import io.pagelift.store.StoreLayout;
import io.pagelift.store.proto.HandoverRecord;
import io.pagelift.store.proto.HandoverRecord.State;
import io.pagelift.wire.proto.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a decision, whole and torn. */
class HandoverFilesTest {
  @TempDir Path directory;
  private StoreLayout layout;
  private HandoverFiles files;
  private Path file;

  @BeforeEach
  void prepare() {
    layout = new StoreLayout(directory.resolve("store"));
    try (PageStore store = PageStore.open(layout.directory())) {
      store.openMigration("m", true).close();
    }
    files = new HandoverFiles(layout, new StableStorage(layout, Durability.FULL, StoreStep.Watch.NONE));
    files.prepare("m", 3, record(State.PREPARED));
    file = layout.handoverFile("m", 3);
  }

  private static HandoverRecord record(State state) {
    return HandoverRecord.newBuilder().setState(state).setReason("x".repeat(200)).setUnixNanos(Long.MAX_VALUE).build();
  }

  @Test
  void theLastStateCounts() {
    files.add("m", 3, record(State.ARMED));
    files.add("m", 3, record(State.COMMITTED));
    assertThat(files.last("m", 3)).contains(record(State.COMMITTED));
    assertThat(files.last("m", 4)).isEmpty();
  }

  @Test
  void preparingAgainChangesNothing() {
    files.add("m", 3, record(State.ABORTED));
    files.prepare("m", 3, record(State.PREPARED));
    assertThat(files.last("m", 3)).contains(record(State.ABORTED));
  }

  @Test
  void itHasItsWholeLengthFromTheBeginningAndIsPrivate() throws IOException {
    assertThat(Files.size(file)).isEqualTo(HandoverFile.FILE_BYTES);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
  }

  @Test
  void aTornStateIsAsIfItHadNeverBeenWritten() throws IOException {
    files.add("m", 3, record(State.ARMED));
    byte[] bytes = Files.readAllBytes(file);
    int used = 512 + 20 + record(State.ARMED).getSerializedSize();
    for (int i = 512; i < used; i++) {
      byte[] torn = bytes.clone();
      torn[i] ^= 0x10;
      Files.write(file, torn);
      assertThat(files.last("m", 3)).as("byte " + i).contains(record(State.PREPARED));
    }
  }

  @Test
  void aFileWithoutAnyWholeStateIsNamed() throws IOException {
    Files.write(file, new byte[HandoverFile.FILE_BYTES]);
    assertThatThrownBy(() -> files.last("m", 3)).isInstanceOf(PageliftException.class).hasMessageContaining(file.toString());
    Files.write(file, new byte[100]);
    assertThatThrownBy(() -> files.last("m", 3)).isInstanceOf(PageliftException.class).hasMessageContaining("shorter");
  }
}
