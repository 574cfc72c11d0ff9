package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.ProcFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Files, directories and links of {@code /proc}. What belongs to a process of the tree is opened at the destination when that
 * process is there; what belongs to one that has ended, while something with its number exists for a moment.
 */
final class ProcFileCollector implements FileCollector {
  private static final Pattern OF_PROCESS = Pattern.compile("/proc/([0-9]{1,9})(?:/task/([0-9]{1,9}))?(/.*)?");
  private static final Pattern OF_DESCRIPTOR = Pattern.compile("/proc/[0-9/task]+/(fd|fdinfo|map_files)/.+");

  @Override
  public String kind() {
    return "proc";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().startsWith("/proc/");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    String path = PathPlace.name(facts.link());
    int pid = pid(path);
    if (pid == 0) {
      PathChecks.inspect(facts, inspection);
    } else if (OF_DESCRIPTOR.matcher(path).matches()) {
      inspection.refuse(facts, "files of /proc about single descriptors or mappings are not carried", "close it before the dump");
    } else if (!inspection.inTree(pid) && alive(facts, inspection)) {
      inspection.refuse(
          facts, "it is about process " + pid + ", which is not of the tree", "close it before the dump, or dump the tree that has both");
    }
  }

  /** The same inode is there only as long as it is the same process. */
  private static boolean alive(DescriptorFacts facts, FileInspection inspection) {
    return PathPlace.of(inspection.reader(), facts.link(), facts.stat()) == PathPlace.HERE;
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    String path = PathPlace.name(file.facts().link());
    int pid = pid(path);
    file.raw(
        ProcFile.newBuilder()
            .setPath(PathBytes.of(path))
            .setPid(pid)
            .setDead(pid != 0 && !files.inspection().inTree(pid))
            .build());
  }

  /** The process or thread that a path is about; 0 for none. */
  private static int pid(String path) {
    Matcher matcher = OF_PROCESS.matcher(path);
    if (!matcher.matches()) {
      return 0;
    }
    return Integer.parseInt(matcher.group(2) == null ? matcher.group(1) : matcher.group(2));
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return file.raw() instanceof ProcFile state ? state : ProcFile.getDefaultInstance();
  }
}
