package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.Directory;
import io.pagelift.linux.Constants;

/** Open directories; found again by path. */
final class DirectoryCollector implements FileCollector {
  @Override
  public String kind() {
    return "directory";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.stat().kind() == Constants.S_IFDIR && facts.link().startsWith("/");
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
    return Directory.newBuilder()
        .setPath(PathBytes.of(facts.path(ghostId)))
        .setGhostId(ghostId)
        .setDevice(facts.stat().device())
        .setInode(facts.stat().inode())
        .build();
  }
}
