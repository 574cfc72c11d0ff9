package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;
import java.nio.charset.StandardCharsets;

/** Whether the path that the kernel prints for an open file leads back to that file. */
final class PathChecks {
  private PathChecks() {}

  static void inspect(DescriptorFacts facts, RawReader reader, RefusalSink sink) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(facts.link())) {
      sink.refuse(facts.pid(), facts.object(), "its path is not valid UTF-8", "rename it before the dump");
    } else if (facts.stat().linkCount() > 0) {
      FileStat found = reader.stat(facts.link());
      if (found == null || !found.key().equals(facts.stat().key())) {
        sink.refuse(
            facts.pid(),
            facts.object(),
            "its path leads to another file or to none (renamed over, hidden by a mount, or one of several names removed)",
            "close it, or put the name back before the dump");
      }
    }
    String lock = facts.info().value("lock");
    if (lock != null) {
      sink.refuse(facts.pid(), facts.object(), "file locks and leases are not carried yet (" + lock + ")", "release it before the dump");
    }
  }
}
