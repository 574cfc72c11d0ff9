package io.pagelift.dumper.memory;

import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.common.PageRuns;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.UserFault;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Passes with the uffd-wp tracker over memory of this very process. */
class SpacePassTest {
  @Test
  void theSecondPassSendsWhatWasWrittenSinceTheFirstAndNothingElse() {
    try (OwnMemory memory = new OwnMemory(3000);
        RecordingChannel channel = new RecordingChannel();
        TrackedSpace space = tracked()) {
      for (int page = 0; page < 2000; page++) {
        memory.write(page, page + 1);
      }
      assertThat(pass(space, memory, channel, false).dataPages()).isEqualTo(2000);
      memory.write(5, 55);
      memory.write(2500, 66);
      PassResult second = pass(space, memory, channel, false);
      assertThat(second.dataPages()).isEqualTo(2);
      assertThat(second.skippedPages()).isEqualTo(1999);
      assertThat(pass(space, memory, channel, true).dataPages()).isZero();
      assertThat(value(channel, memory, 5)).isEqualTo(55);
      assertThat(value(channel, memory, 2500)).isEqualTo(66);
      assertThat(channel.pages()).hasSize(2001);
    }
  }

  @Test
  void aDiscardedPageIsTakenBackAtTheLatestInTheFrozenPass() {
    try (OwnMemory memory = new OwnMemory(100);
        RecordingChannel channel = new RecordingChannel();
        TrackedSpace space = tracked()) {
      for (int page = 0; page < 100; page++) {
        memory.write(page, page + 1);
      }
      pass(space, memory, channel, false);
      memory.discard(10, 20);
      pass(space, memory, channel, false);
      PassResult last = pass(space, memory, channel, true);
      assertThat(last.droppedPages()).isEqualTo(20);
      assertThat(channel.pages()).hasSize(80).doesNotContainKey(memory.firstPage() + 10);
    }
  }

  @Test
  void aMappingThatReplacesAnotherIsSentWhole() {
    try (OwnMemory memory = new OwnMemory(100);
        RecordingChannel channel = new RecordingChannel();
        TrackedSpace space = tracked()) {
      for (int page = 0; page < 100; page++) {
        memory.write(page, page + 1);
      }
      pass(space, memory, channel, false);
      memory.remap(40, 20, PROT_READ | PROT_WRITE);
      memory.write(45, 1045);
      PassResult second = pass(space, memory, channel, false);
      assertThat(second.dataPages()).isEqualTo(1);
      assertThat(second.droppedPages()).isEqualTo(19);
      assertThat(channel.pages()).hasSize(81);
      assertThat(value(channel, memory, 45)).isEqualTo(1045);
    }
  }

  @Test
  void whatTheServerDoesNotHoldIsSentWhateverTheDirtyBitSays() {
    try (OwnMemory memory = new OwnMemory(100);
        RecordingChannel channel = new RecordingChannel();
        TrackedSpace space = tracked()) {
      for (int page = 0; page < 100; page++) {
        memory.write(page, page + 1);
      }
      pass(space, memory, channel, false);
      space.held().remove(memory.firstPage() + 50, memory.firstPage() + 60);
      assertThat(pass(space, memory, channel, true).dataPages()).isEqualTo(10);
    }
  }

  @Test
  void nothingIsLostUnderRandomWritesDiscardsAndReplacements() {
    try (OwnMemory memory = new OwnMemory(1000);
        RecordingChannel channel = new RecordingChannel();
        TrackedSpace space = tracked()) {
      Random random = new Random(42);
      long[] model = new long[1000];
      for (int round = 0; round < 60; round++) {
        for (int step = 0; step < 30; step++) {
          mutate(memory, model, random, round * 100L + step + 1);
        }
        boolean frozen = round % 10 == 9;
        pass(space, memory, channel, frozen);
        if (frozen) {
          for (int page = 0; page < 1000; page++) {
            byte[] held = channel.pages().get(memory.firstPage() + page);
            long value = held == null ? 0 : value(channel, memory, page);
            assertThat(value).as("page %d after round %d", page, round).isEqualTo(model[page]);
          }
        }
      }
    }
  }

  private static void mutate(OwnMemory memory, long[] model, Random random, long value) {
    int page = random.nextInt(950);
    int count = 1 + random.nextInt(50);
    switch (random.nextInt(5)) {
      case 0 -> {
        memory.discard(page, count);
        java.util.Arrays.fill(model, page, page + count, 0);
      }
      case 1 -> {
        memory.remap(page, count, PROT_READ | PROT_WRITE);
        java.util.Arrays.fill(model, page, page + count, 0);
      }
      default -> {
        for (int i = page; i < page + count; i++) {
          memory.write(i, value);
          model[i] = value;
        }
      }
    }
  }

  private static PassResult pass(TrackedSpace space, OwnMemory memory, RecordingChannel channel, boolean frozen) {
    return new SpacePass(space, frozen, channel).run(memory.mappings(), memory::mappings);
  }

  private static TrackedSpace tracked() {
    FileDescriptor userFault = UserFault.create();
    UserFault.api(userFault, WriteProtectTracker.features());
    int pid = Kernel.pid();
    return new TrackedSpace(pid, 0, 1, new WriteProtectTracker(pid, userFault, true), PageRuns.empty());
  }

  private static long value(RecordingChannel channel, OwnMemory memory, long page) {
    byte[] bytes = channel.pages().get(memory.firstPage() + page);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong(0);
  }
}
