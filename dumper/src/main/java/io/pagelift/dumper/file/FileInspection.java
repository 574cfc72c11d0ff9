package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.CollectOptions;

/**
 * What a look for obstacles is made with.
 *
 * @param reader reads {@code /proc}
 * @param options what the caller allows
 * @param sink takes what cannot be carried over
 */
public record FileInspection(RawReader reader, CollectOptions options, RefusalSink sink) {
  void refuse(DescriptorFacts facts, String reason, String remedy) {
    sink.refuse(facts.pid(), facts.object(), reason, remedy);
  }
}
