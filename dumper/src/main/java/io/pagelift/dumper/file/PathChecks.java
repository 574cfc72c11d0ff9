package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;

/** Whether the path that the kernel prints for an open file leads back to that file. */
final class PathChecks {
  private PathChecks() {}

  static void inspect(DescriptorFacts facts, FileInspection inspection) {
    Ghosts.inspect(
        inspection.reader(), inspection.options(), facts.pid(), facts.object(), facts.link(), facts.stat(), inspection.sink());
    String lock = facts.info().value("lock");
    if (lock != null) {
      inspection.refuse(facts, "file locks and leases are not carried yet (" + lock + ")", "release it before the dump");
    }
  }
}
