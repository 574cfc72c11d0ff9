package io.pagelift.dumper.file;

import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.FileOwner;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One open file description on its way into the image, and all descriptors of the tree that refer to it. */
final class OpenFileDraft {
  private final int id;
  private final FileCollector collector;
  private final List<DescriptorFacts> holders = new ArrayList<>();
  private final List<Integer> needs = new ArrayList<>();
  private int copy = -1;
  private @Nullable FileOwner owner;
  private @Nullable Object raw;

  OpenFileDraft(int id, FileCollector collector, DescriptorFacts first) {
    this.id = id;
    this.collector = collector;
    holders.add(first);
  }

  /** The id in the image, from 1. */
  int id() {
    return id;
  }

  FileCollector collector() {
    return collector;
  }

  /** The first descriptor that was found to refer to it. */
  DescriptorFacts facts() {
    return holders.get(0);
  }

  List<DescriptorFacts> holders() {
    return holders;
  }

  /** Our own descriptor of the same description, while the freeze is read; -1 if the kernel gives none (O_PATH). */
  int copy() {
    return copy;
  }

  void copy(int descriptor) {
    copy = descriptor;
  }

  @Nullable FileOwner owner() {
    return owner;
  }

  void owner(FileOwner found) {
    owner = found;
  }

  /** What the collector read in the freeze. */
  @Nullable Object raw() {
    return raw;
  }

  void raw(Object read) {
    raw = read;
  }

  /** Ids of open files that must be in place before this one is finished. */
  List<Integer> needs() {
    return needs;
  }
}
