package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.RegularFile;
import java.util.Set;

/**
 * Regular files. A file that still has its name is found again by it at the destination; the contents of one whose last name
 * is gone travel as pages.
 */
final class RegularCollector implements FileCollector {
  /** File systems whose files are made when they are read, linux/magic.h: sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, configfs. */
  private static final Set<Long> SYNTHETIC =
      Set.of(0x62656572L, 0x27e0ebL, 0x63677270L, 0x64626720L, 0x74726163L, 0x73636673L, 0x62656570L);

  @Override
  public String kind() {
    return "regular";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.stat().regular() && facts.link().startsWith("/");
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
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    file.raw(SYNTHETIC.contains(files.inspection().reader().fileSystemType(file.facts().place())));
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    DescriptorFacts facts = file.facts();
    FileStat stat = facts.stat();
    int ghostId = references.ghostId(stat.key());
    return RegularFile.newBuilder()
            .setPath(PathBytes.of(facts.path(ghostId)))
            .setGhostId(ghostId)
            .setDevice(stat.device())
            .setInode(stat.inode())
            .setSizeBytes(stat.sizeBytes())
            .setMtimeNanos(stat.mtimeNanos())
            .setAtimeNanos(stat.atimeNanos())
            .setMode(stat.mode())
            .setUid(stat.uid())
            .setGid(stat.gid())
            .setSynthetic(Boolean.TRUE.equals(file.raw()))
            .build();
  }
}
