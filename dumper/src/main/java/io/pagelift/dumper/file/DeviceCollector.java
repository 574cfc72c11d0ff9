package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.Device;
import io.pagelift.linux.Constants;
import java.util.Set;

/** Device nodes without state of their own: null, zero, full, random, urandom. */
final class DeviceCollector implements FileCollector {
  /** The memory devices, admin-guide/devices.txt of the kernel. */
  private static final int MEMORY_MAJOR = 1;

  private static final Set<Integer> STATELESS_MINORS = Set.of(3, 5, 7, 8, 9);
  private static final int TTY_MAJOR = 4;
  private static final int TTY_ALIAS_MAJOR = 5;
  private static final int PTY_FIRST_MAJOR = 128;
  private static final int PTY_LAST_MAJOR = 143;

  @Override
  public String kind() {
    return "device";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    int kind = facts.stat().kind();
    return kind == Constants.S_IFCHR || kind == Constants.S_IFBLK;
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    FileStat stat = facts.stat();
    boolean character = stat.kind() == Constants.S_IFCHR;
    if (character && stat.specialMajor() == MEMORY_MAJOR && STATELESS_MINORS.contains(stat.specialMinor())) {
      PathChecks.inspect(facts, inspection);
    } else if (character && terminal(stat.specialMajor())) {
      inspection.refuse(facts, "terminals are not carried yet",
          "start the program with its input and output redirected to files or /dev/null");
    } else {
      inspection.refuse(facts, (character ? "character device " : "block device ") + stat.specialMajor() + ":" + stat.specialMinor()
              + " may have state that cannot be read",
          "close it before the dump");
    }
  }

  private static boolean terminal(int major) {
    return major == TTY_MAJOR || major == TTY_ALIAS_MAJOR || (major >= PTY_FIRST_MAJOR && major <= PTY_LAST_MAJOR);
  }

  @Override
  public boolean byPath() {
    return true;
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    FileStat stat = file.facts().stat();
    int ghostId = references.ghostId(stat.key());
    return Device.newBuilder()
        .setPath(PathBytes.of(file.facts().path(ghostId)))
        .setGhostId(ghostId)
        .setMode(stat.mode())
        .setMajor(stat.specialMajor())
        .setMinor(stat.specialMinor())
        .build();
  }
}
