package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import java.util.List;

/** All kinds of open file that are carried over; the order decides between two that recognise the same descriptor. */
final class FileKinds {
  private static final List<FileCollector> ALL =
      List.of(
          new ProcFileCollector(),
          new NamespaceCollector(),
          new PathOnlyCollector(),
          new MemFdCollector(),
          new RegularCollector(),
          new DirectoryCollector(),
          new DeviceCollector(),
          new PipeCollector(),
          new EventFdCollector(),
          new EpollCollector(),
          new TimerFdCollector(),
          new SignalFdCollector(),
          new PidFdCollector(),
          new InotifyCollector(),
          new FanotifyCollector(),
          new BpfMapCollector(),
          new UnsupportedCollector());

  private FileKinds() {}

  /** The collector for a descriptor; what nobody knows goes to the one that refuses. */
  static FileCollector of(DescriptorFacts facts) {
    for (FileCollector collector : ALL) {
      if (collector.recognises(facts)) {
        return collector;
      }
    }
    throw new AssertionError("the last collector takes everything");
  }
}
