package io.pagelift.restorer.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.image.AddressSpace;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.TreeImage;
import io.pagelift.image.Vma;
import org.junit.jupiter.api.Test;

class StubAddressTest {
  private static final long LENGTH = 2L << 20;
  private static final long MARGIN = 2L << 20;
  private static final long END = 0x7fff_ffff_f000L;

  @Test
  void theGapIsFreeInEveryProcess() {
    TreeImage tree =
        TreeImage.newBuilder()
            .addProcesses(process(0x400000, 0x1100_0000))
            .addProcesses(process(0x1080_0000, 0x2000_0000))
            .addProcesses(process(0x7f00_0000_0000L, END))
            .build();
    assertThat(StubAddress.choose(tree, LENGTH)).isEqualTo(0x2000_0000 + MARGIN);
  }

  @Test
  void aGapWithoutRoomForTheMarginsIsPassedOver() {
    long afterShortGap = 0x2000_0000 + LENGTH + 2 * MARGIN - 4096;
    TreeImage tree =
        TreeImage.newBuilder()
            .addProcesses(process(0x1000_0000, 0x2000_0000, afterShortGap, 0x3000_0000))
            .build();
    assertThat(StubAddress.choose(tree, LENGTH)).isEqualTo(0x3000_0000 + MARGIN);
  }

  @Test
  void addressSpacesThatLeaveNoGapAreRefused() {
    TreeImage tree = TreeImage.newBuilder().addProcesses(process(0x400000, END)).build();
    assertThatThrownBy(() -> StubAddress.choose(tree, LENGTH))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("no gap");
  }

  private static ProcessImage process(long... bounds) {
    AddressSpace.Builder space = AddressSpace.newBuilder();
    for (int i = 0; i < bounds.length; i += 2) {
      space.addVmas(Vma.newBuilder().setStart(bounds[i]).setEnd(bounds[i + 1]));
    }
    return ProcessImage.newBuilder().setAddressSpace(space).build();
  }
}
