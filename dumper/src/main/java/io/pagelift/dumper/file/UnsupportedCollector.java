package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.Constants;
import java.util.Map;

/** Takes what no other collector knows, and refuses it by name. */
final class UnsupportedCollector implements FileCollector {
  /** Link texts, up to the first of {@code [} or {@code :} pairs, and what a user calls them. */
  private static final Map<String, String> NAMES =
      Map.of(
          "anon_inode:inotify", "an inotify instance",
          "anon_inode:[fanotify]", "a fanotify instance",
          "anon_inode:[io_uring]", "an io_uring",
          "anon_inode:[userfaultfd]", "a userfaultfd of the program's own",
          "anon_inode:[perf_event]", "a perf event",
          "anon_inode:[pidfd]", "a pidfd",
          "anon_inode:bpf-map", "a BPF map",
          "anon_inode:bpf-prog", "a BPF program",
          "anon_inode:[fscontext]", "a file system context");

  @Override
  public String kind() {
    return "unsupported";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return true;
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    inspection.refuse(facts, name(facts) + " is not carried yet", remedy(facts));
  }

  private static String name(DescriptorFacts facts) {
    String link = facts.link();
    if (facts.stat().kind() == Constants.S_IFSOCK || link.startsWith("socket:")) {
      return "a socket";
    }
    if (facts.stat().kind() == Constants.S_IFIFO) {
      return "a FIFO (a pipe with a name)";
    }
    if (facts.stat().kind() == Constants.S_IFLNK) {
      return "an open symbolic link (O_PATH)";
    }
    if (link.startsWith("pidfd:")) {
      return "a pidfd";
    }
    if (link.startsWith("(unreachable)")) {
      return "a file outside of the root directory or the mounts";
    }
    if (link.matches("[a-z_]+:\\[[0-9]+\\]")) {
      return "a namespace file";
    }
    return NAMES.getOrDefault(link, "this kind of file");
  }

  private static String remedy(DescriptorFacts facts) {
    return facts.link().startsWith("socket:")
        ? "close the connection before the dump, or let the program talk through files or pipes of its own tree"
        : "close it before the dump";
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return OpenFile.getDefaultInstance();
  }
}
