package io.pagelift.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class KernelFeaturesTest {
  @Test
  void everyFeatureIsTriedAndNoChildIsLeft() {
    KernelFeatures features = KernelFeatures.probe();
    for (Feature feature : Feature.values()) {
      assertThat(features.refusal(feature)).as(feature.title()).isNotEqualTo("was not tried");
    }
    assertThat(ProcTree.withFirstArgument("pagelift-probe")).isEmpty();
  }

  @Test
  void whatTheModuleNeedsWorksHere() {
    KernelFeatures features = KernelFeatures.probe();
    for (Feature feature : new Feature[] {Feature.PTRACE_SEIZE, Feature.PROCESS_VM, Feature.PIDFD_GETFD, Feature.KCMP}) {
      assertThat(features.refusal(feature)).as(feature.title()).isEmpty();
    }
    assertThat(features.extendedStateBytes()).isGreaterThanOrEqualTo(576).isLessThan(64 * 1024);
  }

  @Test
  void softDirtyIsSeenAsTheKernelWasBuilt() {
    // The kernel shows a VmFlags code for soft-dirty mappings only when it was built with it.
    boolean built = ProcessMaps.readDetails(Kernel.pid()).stream().anyMatch(map -> map.has("sd"));
    assertThat(KernelFeatures.probe().has(Feature.SOFT_DIRTY)).isEqualTo(built);
  }
}
