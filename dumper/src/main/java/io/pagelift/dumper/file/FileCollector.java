package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;

/** Collects the state of one kind of open file. Stateless. */
interface FileCollector {
  /** The kind's name in the image. */
  String kind();

  /** Whether a descriptor is of this kind; the first collector of {@link FileKinds} that says so gets it. */
  boolean recognises(DescriptorFacts facts);

  /** Looks for what cannot be carried over, at a running or a frozen process. */
  default void inspect(DescriptorFacts facts, FileInspection inspection) {
    // Most kinds carry everything that they recognise.
  }

  /** Whether it is found again by its path, so that a file whose name is gone travels as a {@link Ghosts ghost}. */
  default boolean byPath() {
    return false;
  }

  /** Reads, in the freeze, what {@code /proc} does not tell; it may use {@link OpenFileDraft#copy}. All drafts exist. */
  default void readFrozen(OpenFileDraft file, FrozenFiles files) {
    // Most kinds need nothing more than their fdinfo.
  }

  /** The kind's message. Runs after the reads of the freeze. */
  MessageLite state(OpenFileDraft file, FileReferences references);
}
