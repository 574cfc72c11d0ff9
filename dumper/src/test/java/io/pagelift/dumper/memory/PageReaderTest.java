package io.pagelift.dumper.memory;

import static io.pagelift.linux.Constants.PROT_NONE;
import static io.pagelift.linux.Constants.PROT_READ;
import static io.pagelift.linux.Constants.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.linux.Kernel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageReaderTest {
  @Test
  void readsScatteredAndContiguousPagesAndCompactsAroundZeroPages() {
    try (OwnMemory memory = new OwnMemory(2000);
        RecordingChannel channel = new RecordingChannel()) {
      PageSet wanted = new PageSet();
      Random random = new Random(1);
      for (int page = 0; page < 2000; page++) {
        if (page % 3 != 0) {
          memory.write(page, page + 1);
        }
        if (page < 700 || random.nextInt(4) == 0) {
          wanted.add(memory.firstPage() + page, memory.firstPage() + page + 1);
        }
      }
      PageReader reader = reader(memory, channel, false);
      reader.send(wanted);
      assertThat(reader.unread().isEmpty()).isTrue();
      assertThat(channel.pages()).hasSize((int) wanted.pageCount());
      assertThat(reader.dataPages() + reader.zeroPages()).isEqualTo(wanted.pageCount());
      channel.pages().forEach((page, bytes) -> {
        long index = page - memory.firstPage();
        assertThat(value(bytes)).isEqualTo(index % 3 == 0 ? 0 : index + 1);
      });
    }
  }

  @Test
  void leavesOutWhatIsNotMappedAndReadsAllTheRest() {
    try (OwnMemory memory = new OwnMemory(20_000);
        RecordingChannel channel = new RecordingChannel()) {
      for (int page = 0; page < 20_000; page++) {
        memory.write(page, page + 1);
      }
      memory.unmap(10, 1);
      memory.unmap(100, 9000);
      memory.unmap(9_200, 3);
      memory.unmap(19_999, 1);
      PageReader reader = reader(memory, channel, false);
      reader.send(memory.all());
      assertThat(reader.unread().pageCount()).isEqualTo(1 + 9000 + 3 + 1);
      assertThat(channel.pages()).hasSize(20_000 - 9005);
      channel.pages().forEach((page, bytes) -> assertThat(value(bytes)).isEqualTo(page - memory.firstPage() + 1));
    }
  }

  @Test
  void stopsInOrderWhenTheRestIsGone() {
    try (OwnMemory memory = new OwnMemory(3000);
        RecordingChannel channel = new RecordingChannel()) {
      memory.unmap(1000, 2000);
      PageReader reader = reader(memory, channel, false);
      reader.send(memory.all());
      assertThat(reader.unread().pageCount()).isEqualTo(2000);
      assertThat(channel.pages()).hasSize(1000);
    }
  }

  @Test
  void readsMemoryThatItsOwnerMayNotRead() {
    try (OwnMemory memory = new OwnMemory(600);
        RecordingChannel channel = new RecordingChannel()) {
      for (int page = 0; page < 600; page++) {
        memory.write(page, page + 1);
      }
      memory.protect(100, 300, PROT_NONE);
      try (PageReader reader = reader(memory, channel, true)) {
        reader.send(memory.all());
        assertThat(reader.unread().isEmpty()).isTrue();
      }
      assertThat(channel.pages()).hasSize(600);
      channel.pages().forEach((page, bytes) -> assertThat(value(bytes)).isEqualTo(page - memory.firstPage() + 1));
    }
  }

  @Test
  void staysExactWhileMappingsComeAndGoUnderIt() throws InterruptedException {
    try (OwnMemory memory = new OwnMemory(4000);
        RecordingChannel channel = new RecordingChannel()) {
      for (int page = 0; page < 4000; page++) {
        memory.write(page, page + 1);
      }
      boolean[] stop = {false};
      Thread churn = new Thread(() -> {
        Random random = new Random(7);
        while (!stopped(stop)) {
          // Odd hundreds come and go, even ones stay.
          long hundred = 2L * random.nextInt(20) + 1;
          memory.remap(hundred * 100, 100, PROT_NONE);
          memory.remap(hundred * 100, 100, PROT_READ | PROT_WRITE);
        }
      });
      churn.start();
      try {
        for (int round = 0; round < 200; round++) {
          channel.pages().clear();
          PageReader reader = reader(memory, channel, false);
          reader.send(memory.all());
          assertThat(channel.pages().size() + reader.unread().pageCount()).isEqualTo(4000);
          for (long page = 0; page < 4000; page++) {
            if (page / 100 % 2 == 0) {
              byte[] bytes = channel.pages().get(memory.firstPage() + page);
              assertThat(bytes).as("page %d of round %d", page, round).isNotNull();
              assertThat(value(bytes)).isEqualTo(page + 1);
            }
          }
        }
      } finally {
        synchronized (stop) {
          stop[0] = true;
        }
        churn.join();
      }
    }
  }

  private static boolean stopped(boolean[] stop) {
    synchronized (stop) {
      return stop[0];
    }
  }

  private static PageReader reader(OwnMemory memory, PageChannel channel, boolean frozen) {
    return new PageReader(Kernel.pid(), frozen, memory::mappings, channel, 1, PageFilter.SEND_ALL);
  }

  private static long value(byte[] page) {
    ByteBuffer bytes = ByteBuffer.wrap(page).order(ByteOrder.nativeOrder());
    long value = bytes.getLong(0);
    assertThat(bytes.getLong(page.length - 8)).isEqualTo(value == 0 ? 0 : ~value);
    return value;
  }
}
