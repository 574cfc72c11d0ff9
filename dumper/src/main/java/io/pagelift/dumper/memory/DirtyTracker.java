package io.pagelift.dumper.memory;

import io.pagelift.linux.MemoryMap;
import java.util.List;

/** Knows which pages of one address space were written since it was last asked. */
public interface DirtyTracker extends AutoCloseable {
  /**
   * Finds what was written since the last scan and begins anew, in one step: what is written after the scan, also while the
   * pages are read, is in the next scan's findings.
   *
   * @param mappings all mappings as just read
   * @param rereadMappings reads them again
   */
  ScanFindings scanLive(List<MemoryMap> mappings, PageReader.MapsSource rereadMappings);

  /** Finds what was written since the last scan and everything that is present. The process is frozen; nothing is re-armed. */
  ScanFindings scanFrozen(List<MemoryMap> mappings);

  /** Whether the last scan found that tracking ended, because the process has another address space now (exec). */
  default boolean lost() {
    return false;
  }

  /** Filters pages while they are read. */
  default PageFilter filter() {
    return PageFilter.SEND_ALL;
  }

  @Override
  void close();
}
