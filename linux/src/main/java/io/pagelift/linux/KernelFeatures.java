package io.pagelift.linux;

import java.util.EnumMap;
import java.util.Map;

/**
 * What this kernel lets this user do, found by doing it on mappings and a child that are thrown away, never by comparing version
 * numbers: distributions carry features back, and containers take them away.
 */
public final class KernelFeatures {
  private final Map<Feature, String> refusals;
  private final int extendedStateBytes;

  KernelFeatures(Map<Feature, String> refusals, int extendedStateBytes) {
    this.refusals = new EnumMap<>(refusals);
    this.extendedStateBytes = extendedStateBytes;
  }

  /** Tries everything; takes some milliseconds. It does not throw for a feature that is missing. */
  public static KernelFeatures probe() {
    return new FeatureProbe().run();
  }

  /** Whether a feature works here. */
  public boolean has(Feature feature) {
    return refusal(feature).isEmpty();
  }

  /** What the kernel said when a feature was tried, such as {@code "kcmp failed with EPERM"}; empty if it works. */
  public String refusal(Feature feature) {
    return refusals.getOrDefault(feature, "was not tried");
  }

  /** The size of the processor state that NT_X86_XSTATE gives, 0 if it can't be read. */
  public int extendedStateBytes() {
    return extendedStateBytes;
  }
}
