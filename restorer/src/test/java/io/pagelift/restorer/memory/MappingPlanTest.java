package io.pagelift.restorer.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.image.Vma;
import io.pagelift.linux.Constants;
import java.util.List;
import org.junit.jupiter.api.Test;

class MappingPlanTest {
  @Test
  void aReadOnlyMappingWithPagesIsWritableUntilTheyAreIn() {
    MappingPlan plan = MappingPlan.of(vma(Vma.Kind.FILE_PRIVATE, Constants.PROT_READ), true);
    assertThat(plan.firstProtection()).isEqualTo(Constants.PROT_READ | Constants.PROT_WRITE);
    assertThat(plan.protectLater()).isTrue();
  }

  @Test
  void aReservationWithoutPagesIsNeverWritable() {
    MappingPlan plan = MappingPlan.of(vma(Vma.Kind.ANONYMOUS, Constants.PROT_NONE, "nr"), false);
    assertThat(plan.firstProtection()).isEqualTo(Constants.PROT_NONE);
    assertThat(plan.protectLater()).isFalse();
    assertThat(plan.flags() & Constants.MAP_NORESERVE).isNotZero();
  }

  @Test
  void memoryThatIsAccountedAtTheSourceIsAccountedAgain() {
    assertThat(MappingPlan.of(vma(Vma.Kind.ANONYMOUS, Constants.PROT_READ, "ac"), false).protectLater()).isTrue();
  }

  @Test
  void aSharedMappingIsNotMadeWritable() {
    MappingPlan plan = MappingPlan.of(vma(Vma.Kind.FILE_SHARED, Constants.PROT_READ, "ac"), false);
    assertThat(plan.firstProtection()).isEqualTo(Constants.PROT_READ);
    assertThat(plan.flags() & Constants.MAP_SHARED).isNotZero();
  }

  @Test
  void aStackGrowsDownAndAdviceIsGivenAgain() {
    MappingPlan plan = MappingPlan.of(vma(Vma.Kind.ANONYMOUS, Constants.PROT_READ, "gd", "dd", "hg", "rd"), false);
    assertThat(plan.flags() & Constants.MAP_GROWSDOWN).isNotZero();
    assertThat(plan.advices()).containsExactly(Constants.MADV_DONTDUMP, Constants.MADV_HUGEPAGE);
  }

  private static Vma vma(Vma.Kind kind, int protection, String... flags) {
    return Vma.newBuilder()
        .setStart(0x1000)
        .setEnd(0x3000)
        .setKind(kind)
        .setProtection(protection)
        .addAllVmFlags(List.of(flags))
        .build();
  }
}
