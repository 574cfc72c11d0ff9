package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.MemFd;
import io.pagelift.linux.Constants;
import java.util.List;

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
  }

  /** Which description memfd_create(2) made is not to be seen; it is open for both, and in general nobody else opens one so. */
  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    List<OpenFileDraft> likely =
        files.sameInode(file).stream()
            .filter(draft -> SharedMemoryPaths.memfd(draft.facts().link()))
            .filter(draft -> (draft.facts().statusFlags() & Constants.O_ACCMODE) == Constants.O_RDWR)
            .toList();
    file.raw(!likely.isEmpty() && likely.get(0) == file);
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    SharedKey key = SharedMemoryPaths.key(file.facts().link(), file.facts().stat().key());
    return MemFd.newBuilder().setSharedMemoryId(references.sharedMemoryId(key)).setOriginal(Boolean.TRUE.equals(file.raw())).build();
  }
}
