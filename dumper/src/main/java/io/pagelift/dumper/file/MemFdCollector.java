package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.MemFd;

/** Open shared memory: memfd, files of {@code /dev/shm}, System V and anonymous shared memory opened through /proc. */
final class MemFdCollector implements FileCollector {
  @Override
  public String kind() {
    return "memfd";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.stat().regular() && SharedMemoryPaths.sharedMemory(facts.link());
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if (SharedMemoryPaths.named(facts.link())) {
      PathChecks.inspect(facts, inspection);
    }
    if (facts.link().startsWith("/anon_hugepage") || SharedMemoryPaths.onHugePages(inspection.reader(), facts)) {
      inspection.refuse(facts, "memory of huge pages is not carried yet", "use transparent huge pages");
    }
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return MemFd.newBuilder().setSharedMemoryId(references.sharedMemoryId(file.facts().stat().key())).build();
  }
}
