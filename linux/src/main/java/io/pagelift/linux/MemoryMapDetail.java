package io.pagelift.linux;

import java.util.Map;
import java.util.Set;

/**
 * One mapping of {@code /proc/PID/smaps}.
 *
 * @param map the line that /proc/PID/maps has too
 * @param sizes the figures by the kernel's names ({@code "Rss"}, {@code "Anonymous"}, {@code "Swap"}, {@code "KernelPageSize"},
 *     ...), in bytes
 * @param protectionKey the memory protection key, 0 unless one was set
 * @param vmFlags the two-letter codes of {@code VmFlags}, described in the kernel's filesystems/proc documentation
 */
public record MemoryMapDetail(MemoryMap map, Map<String, Long> sizes, int protectionKey, Set<String> vmFlags) {
  /** A figure in bytes, 0 if this kernel does not give it. */
  public long sizeBytes(String name) {
    return sizes.getOrDefault(name, 0L);
  }

  /** Whether a flag is set. */
  public boolean has(String vmFlag) {
    return vmFlags.contains(vmFlag);
  }

  /** Memory of a device or a driver ({@code io} or {@code pf}): pages without a struct page, not to be read. */
  public boolean deviceMemory() {
    return has("io") || has("pf");
  }

  /** Left out of core dumps by MADV_DONTDUMP. */
  public boolean dontDump() {
    return has("dd");
  }

  /** Not copied by fork (MADV_DONTFORK). */
  public boolean dontCopy() {
    return has("dc");
  }

  /** Emptied in the child of a fork (MADV_WIPEONFORK). */
  public boolean wipeOnFork() {
    return has("wf");
  }

  /** Grows down like a stack. */
  public boolean growsDown() {
    return has("gd");
  }

  /** Locked in memory. */
  public boolean locked() {
    return has("lo");
  }

  /** Huge pages of hugetlbfs. */
  public boolean hugeTlb() {
    return has("ht");
  }

  /** No commit accounting (MAP_NORESERVE). */
  public boolean noReserve() {
    return has("nr");
  }

  /** Merged by KSM. */
  public boolean mergeable() {
    return has("mg");
  }

  /** Advised MADV_HUGEPAGE. */
  public boolean hugePageAdvised() {
    return has("hg");
  }

  /** Advised MADV_NOHUGEPAGE. */
  public boolean noHugePageAdvised() {
    return has("nh");
  }

  /** Write-protected through a userfaultfd, whoever holds it. */
  public boolean userFaultWriteProtect() {
    return has("uw");
  }

  /** Watched for missing pages through a userfaultfd. */
  public boolean userFaultMissing() {
    return has("um");
  }
}
