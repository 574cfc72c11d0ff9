package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;

/** Collects the state of one kind of open file. Stateless. */
interface FileCollector {
  /** The kind's name in the image. */
  String kind();

  /** Whether a descriptor is of this kind; the first collector of {@link FileKinds} that says so gets it. */
  boolean recognises(DescriptorFacts facts);

  /** Looks for what cannot be carried over, at a running or a frozen process. */
  default void inspect(DescriptorFacts facts, RawReader reader, RefusalSink sink) {
    // Most kinds carry everything that they recognise.
  }

  /** Reads, in the freeze, what {@code /proc} does not tell; it may use {@link OpenFileDraft#copy}. All drafts exist. */
  default void readFrozen(OpenFileDraft file, FrozenFiles files) {
    // Most kinds need nothing more than their fdinfo.
  }

  /** The kind's message. Runs after the reads of the freeze. */
  MessageLite state(OpenFileDraft file, FileReferences references);
}
