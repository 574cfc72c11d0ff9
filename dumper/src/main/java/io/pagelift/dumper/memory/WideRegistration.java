package io.pagelift.dumper.memory;

import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.UserFault;
import java.util.List;

/**
 * Registers the mappings of a running process with a userfaultfd without cutting one in two.
 *
 * <p>The list of mappings is older than the registration. UFFDIO_REGISTER of exactly {@code [start, end)} of a mapping that has
 * grown in place since would register its first part only: the kernel then has two mappings where the program has one, and the
 * program's own {@code mremap(2)} over both fails with EFAULT (so {@code realloc} of a large block fails). Therefore whole
 * stretches are registered, the gaps between the listed mappings included: the call takes every mapping in its range, as it is
 * at that moment. What is registered although it is not in the list is harmless: the server holds nothing there (a pass drops
 * what lies outside of the list), so the next scans send it.
 *
 * <p>One mapping that cannot be registered (vdso, vvar, one with another userfaultfd) makes the call for a stretch fail, before
 * it has changed anything. The stretch is then halved, down to single mappings, which are registered alone.
 */
final class WideRegistration {
  private final FileDescriptor userFault;
  private final List<MemoryMap> mappings;
  private final PageSet registered = new PageSet();

  private WideRegistration(FileDescriptor userFault, List<MemoryMap> mappings) {
    this.userFault = userFault;
    this.mappings = mappings;
  }

  /**
   * Registers what can be registered.
   *
   * @param mappings ascending by address
   * @return the pages of those of {@code mappings} that are registered with this userfaultfd now
   */
  static PageSet register(FileDescriptor userFault, List<MemoryMap> mappings) {
    WideRegistration registration = new WideRegistration(userFault, mappings);
    if (!mappings.isEmpty()) {
      registration.register(0, mappings.size());
    }
    return registration.registered;
  }

  /** Mappings {@code first} (inclusive) to {@code end} (exclusive), with the gaps on both sides. */
  private void register(int first, int end) {
    long from = first == 0 ? mappings.get(0).start() : mappings.get(first - 1).end();
    long to = end == mappings.size() ? mappings.get(end - 1).end() : mappings.get(end).start();
    if (UserFault.register(userFault, from, to - from) == 0) {
      for (MemoryMap mapping : mappings.subList(first, end)) {
        add(mapping);
      }
    } else if (end - first > 1) {
      int middle = (first + end) >>> 1;
      register(first, middle);
      register(middle, end);
    } else {
      // Something in the gaps beside it may be what cannot be registered.
      MemoryMap mapping = mappings.get(first);
      if (UserFault.register(userFault, mapping.start(), mapping.lengthBytes()) == 0) {
        add(mapping);
      }
    }
  }

  private void add(MemoryMap mapping) {
    registered.add(mapping.start() >>> 12, mapping.end() >>> 12);
  }
}
