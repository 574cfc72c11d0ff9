package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.PathOnly;
import io.pagelift.linux.Constants;

/** O_PATH descriptors of symbolic links, sockets, FIFOs and devices: nothing of what these do can be reached through them, open(2). */
final class PathOnlyCollector implements FileCollector {
  @Override
  public String kind() {
    return "path";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    int kind = facts.stat().kind();
    boolean otherwiseKnown = kind == Constants.S_IFREG || kind == Constants.S_IFDIR;
    return (facts.statusFlags() & Constants.O_PATH) != 0 && facts.link().startsWith("/") && !otherwiseKnown;
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    PathChecks.inspect(facts, inspection);
  }

  @Override
  public boolean byPath() {
    return true;
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    DescriptorFacts facts = file.facts();
    int ghostId = references.ghostId(facts.stat().key());
    return PathOnly.newBuilder()
        .setPath(PathBytes.of(facts.path(ghostId)))
        .setMode(facts.stat().mode())
        .setGhostId(ghostId)
        .build();
  }
}
