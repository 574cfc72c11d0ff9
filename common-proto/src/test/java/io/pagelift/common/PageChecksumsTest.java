package io.pagelift.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

final class PageChecksumsTest {
  private final Random random = new Random(7);

  @Test
  void eachPageHasItsOwnChecksumAndTheBufferStaysWhereItIs() {
    ByteBuffer pages = randomPages(3).position(PageRun.PAGE_BYTES);

    int[] checksums = PageChecksums.of(pages);

    assertThat(checksums).containsExactly(crc(pages.slice(4096, 4096)), crc(pages.slice(8192, 4096)));
    assertThat(pages.position()).isEqualTo(PageRun.PAGE_BYTES);
    assertThat(pages.remaining()).isEqualTo(2 * PageRun.PAGE_BYTES);
  }

  @Test
  void theChecksumOfAllFollowsFromThoseOfTheParts() {
    for (int pageCount : new int[] {0, 1, 2, 255, 256}) {
      byte[] head = new byte[random.nextInt(100)];
      random.nextBytes(head);
      ByteBuffer pages = randomPages(pageCount);
      ByteBuffer all = ByteBuffer.allocate(head.length + pages.remaining()).put(head).put(pages.duplicate()).flip();

      assertThat(PageChecksums.appended(crc(ByteBuffer.wrap(head)), PageChecksums.of(pages)))
          .as("%d bytes and %d pages", head.length, pageCount)
          .isEqualTo(crc(all));
    }
  }

  @Test
  void theChecksumOfAZeroPageIsKnown() {
    assertThat(PageChecksums.of(ByteBuffer.allocateDirect(PageRun.PAGE_BYTES))).containsExactly(PageChecksums.OF_ZERO_PAGE);
  }

  private ByteBuffer randomPages(int pageCount) {
    byte[] bytes = new byte[pageCount * PageRun.PAGE_BYTES];
    random.nextBytes(bytes);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  private static int crc(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
