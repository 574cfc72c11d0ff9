package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.RefusalSink;
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
  public void inspect(DescriptorFacts facts, RawReader reader, RefusalSink sink) {
    if (facts.stat().linkCount() == 0 || facts.link().endsWith(DescriptorFacts.DELETED)) {
      sink.refuse(facts.pid(), facts.object(), "a removed directory cannot be opened again", "close it before the dump");
      return;
    }
    PathChecks.inspect(facts, reader, sink);
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    DescriptorFacts facts = file.facts();
    return Directory.newBuilder()
        .setPath(facts.path())
        .setDevice(facts.stat().device())
        .setInode(facts.stat().inode())
        .build();
  }
}
