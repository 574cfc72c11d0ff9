package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.RegularFile;

/**
 * Regular files. A file that still has its name is found again by it at the destination; the contents of one whose last name
 * is gone travel as pages.
 */
final class RegularCollector implements FileCollector {
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
    if (facts.link().startsWith("/proc/")) {
      inspection.refuse(facts, "open files of /proc are not carried yet", "close it before the dump");
    }
  }

  @Override
  public boolean byPath() {
    return true;
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
            .build();
  }
}
