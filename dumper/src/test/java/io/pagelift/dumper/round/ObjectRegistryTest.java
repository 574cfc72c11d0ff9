package io.pagelift.dumper.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.wire.proto.MigrationOpened;
import io.pagelift.wire.proto.ObjectInfo;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObjectRegistryTest {
  private static final MigrationOpened OPENED =
      MigrationOpened.newBuilder()
          .setNextObjectId(9)
          .addObjects(
              ObjectInfo.newBuilder().setId(4).setKind(ObjectInfo.Kind.ADDRESS_SPACE).setPid(77).setStartTimeTicks(500))
          .addObjects(
              ObjectInfo.newBuilder().setId(5).setKind(ObjectInfo.Kind.SHARED_MEMORY).setDevice(1).setInode(2))
          .build();

  @Test
  void anUnbrokenRunKeepsTheIdsOfItsObjects() {
    ObjectRegistry registry = new ObjectRegistry(OPENED, true);
    assertThat(registry.earlierSpace(77, 500)).contains(4L);
    assertThat(registry.earlierSpace(77, 501)).as("another process with the same pid").isEmpty();
    assertThat(registry.sharedMemory(new SharedKey(1, 2))).isEqualTo(5);
  }

  @Test
  void aNewRunNeverUsesAnIdAgain() {
    ObjectRegistry registry = new ObjectRegistry(OPENED, false);
    assertThat(registry.earlierSpace(77, 500)).isEmpty();
    assertThat(registry.newSpace(77, 500)).isEqualTo(9);
    assertThat(registry.sharedMemory(new SharedKey(1, 2))).isEqualTo(10);
    assertThat(registry.fileContents(new SharedKey(1, 2))).isEqualTo(11);
    assertThat(registry.alive()).extracting(ObjectInfo::getId).containsExactly(9L, 10L, 11L);
  }

  @Test
  void objectsThatAreGoneAreNotAlive() {
    ObjectRegistry registry = new ObjectRegistry(OPENED, true);
    registry.forgetSpace(4);
    registry.retainShared(List.of());
    assertThat(registry.alive()).isEmpty();
  }
}
