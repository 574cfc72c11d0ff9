package io.pagelift.dumper.memory;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.UserFault;
import java.util.ArrayList;
import java.util.List;

/**
 * Registers the private mappings of a running process with a userfaultfd without cutting any of them in two.
 *
 * <p>What {@code /proc/PID/maps} said is old by the time of the ioctl: a mapping may have grown since. UFFDIO_REGISTER of its old
 * range would split it at the old end, and a later mremap(2) by the process over both halves fails with EFAULT, which makes
 * realloc(3) return NULL. So the range of an ioctl is wide: from one mapping that must stay out (shared, vdso, somebody else's) to
 * the next, gaps included. The kernel takes every mapping that it finds in there, whole, and skips what is registered already.
 *
 * <p>One mapping that cannot be registered (another userfaultfd has it) fails the ioctl as a whole; it is found by halving.
 */
final class WideRegistration {
  /** The usual vm.mmap_min_addr: the kernel refuses ranges that begin below it. */
  private static final long LOWEST_ADDRESS = 0x10000;

  /** The end of the address space with four levels of page tables; nothing lies above it unless a process asks for that. */
  private static final long HIGHEST_ADDRESS = 0x7fff_ffff_f000L;

  private final FileDescriptor userFault;
  private final PageSet refused = new PageSet();
  private boolean any;

  WideRegistration(FileDescriptor userFault) {
    this.userFault = userFault;
  }

  /** Registers all private mappings of an ascending list of all mappings. */
  void register(List<MemoryMap> mappings) {
    long from = LOWEST_ADDRESS;
    List<MemoryMap> stretch = new ArrayList<>();
    for (MemoryMap mapping : mappings) {
      if (mapping.start() < 0 || mapping.start() >= HIGHEST_ADDRESS) {
        break;
      }
      if (MappingKind.of(mapping).isPrivate()) {
        stretch.add(mapping);
      } else {
        register(stretch, from, mapping.start());
        stretch.clear();
        from = mapping.end();
      }
    }
    register(stretch, from, HIGHEST_ADDRESS);
  }

  private void register(List<MemoryMap> stretch, long from, long end) {
    if (stretch.isEmpty()) {
      return;
    }
    if (UserFault.register(userFault, from, end - from) == 0) {
      any = true;
      return;
    }
    if (stretch.size() > 1) {
      int middle = stretch.size() / 2;
      long border = stretch.get(middle).start();
      register(stretch.subList(0, middle), from, border);
      register(stretch.subList(middle, stretch.size()), border, end);
      return;
    }
    MemoryMap only = stretch.get(0);
    if (UserFault.register(userFault, only.start(), only.lengthBytes()) == 0) {
      any = true;
    } else {
      refused.add(only.start() >>> 12, only.end() >>> 12);
    }
  }

  /** The pages of mappings that the kernel did not let us have. */
  PageSet refused() {
    return refused;
  }

  /** Whether anything could be registered. */
  boolean any() {
    return any;
  }
}
