package io.pagelift.dumper.memory;

import io.pagelift.linux.MemoryMap;
import java.util.ArrayList;
import java.util.List;

/** What has to be sent of a mapping. */
public enum MappingKind {
  /** Private memory without a file: every page that is there. */
  PRIVATE_ANONYMOUS,
  /** A private mapping of a file or of a shared memory object: the pages that were copied on write. */
  PRIVATE_FILE,
  /** A shared mapping: its contents are a file's, or travel once with the shared memory object behind it. */
  SHARED,
  /** vdso, vvar and vsyscall: the destination's kernel brings its own. */
  KERNEL;

  /** The kind of a mapping, by what {@code /proc/PID/maps} says of it. */
  public static MappingKind of(MemoryMap mapping) {
    if (mapping.kernelProvided()) {
      return KERNEL;
    }
    if (mapping.shared()) {
      return SHARED;
    }
    boolean anonymous = mapping.inode() == 0 && mapping.devMajor() == 0 && mapping.devMinor() == 0;
    return anonymous ? PRIVATE_ANONYMOUS : PRIVATE_FILE;
  }

  /** Whether the address space itself owns pages of this kind of mapping. */
  public boolean isPrivate() {
    return this == PRIVATE_ANONYMOUS || this == PRIVATE_FILE;
  }

  /** The mappings whose pages belong to the address space. */
  public static List<MemoryMap> privateOnes(List<MemoryMap> mappings) {
    List<MemoryMap> own = new ArrayList<>();
    for (MemoryMap mapping : mappings) {
      if (of(mapping).isPrivate()) {
        own.add(mapping);
      }
    }
    return own;
  }
}
