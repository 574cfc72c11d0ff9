package io.pagelift.dumper.refuse;

import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.file.Ghosts;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.ProcStatus;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Set;

/** Looks at one process after the other for what cannot be carried over, descriptors and mappings aside. */
public final class ProcessInspection {
  /** EI_CLASS of a 64-bit program, elf(5). */
  private static final int ELF_CLASS_OFFSET = 4;

  private static final int ELF_CLASS_64 = 2;
  private static final int ELF_HEADER_BYTES = 16;
  private static final int LABEL_BYTES = 4096;

  private final RawReader reader;
  private final int rootPid;
  private final Set<Integer> pids;
  private final CollectOptions options;
  private final RefusalSink sink;
  private final Map<String, String> ownNamespaces;
  private int rootSession;

  /**
   * An inspection of one tree.
   *
   * @param pids all processes of the tree
   */
  public ProcessInspection(
      RawReader reader, int rootPid, Collection<Integer> pids, CollectOptions options, RefusalSink sink) {
    this.reader = reader;
    this.rootPid = rootPid;
    this.pids = Set.copyOf(pids);
    this.options = options;
    this.sink = sink;
    this.ownNamespaces = ProcessFacts.namespaces(reader, "/proc/self/");
  }

  /** Looks at one live process; the root comes first. */
  public void inspect(ProcessFacts facts) {
    inspectJob(facts);
    inspectNamespaces(facts);
    inspectPlaces(facts);
    inspectLabel(facts);
    facts.statusByThread().forEach((tid, status) -> inspectThread(facts.pid(), tid, status));
  }

  /** Sessions and groups are found again by their leaders; a group whose leader is gone can be founded again, a session not. */
  private void inspectJob(ProcessFacts facts) {
    int session = facts.stat().session();
    int group = facts.stat().processGroup();
    if (facts.pid() == rootPid) {
      rootSession = session;
      if (!options.shellJob() && !(pids.contains(session) && pids.contains(group))) {
        refuse(
            facts,
            "its session " + session + " or process group " + group,
            "the leader lies outside of the tree",
            "dump with --shell-job, or start it with setsid");
      }
    } else if (!pids.contains(session) && session != rootSession) {
      refuse(
          facts,
          "its session " + session,
          "the leader is gone or lies outside of the tree",
          "end this process before the dump");
    }
  }

  private void inspectNamespaces(ProcessFacts facts) {
    ownNamespaces.forEach(
        (name, own) -> {
          String theirs = facts.namespaces().getOrDefault(name, "");
          if (!theirs.equals(own) && !theirs.isEmpty()) {
            refuse(
                facts,
                "its " + name + " namespace " + theirs,
                "processes in namespaces other than the dumper's are not carried yet",
                "run the program outside of a container");
          }
        });
  }

  /** Where SELinux, AppArmor or Smack say what a process may do; the copy would get the restorer's label. */
  private void inspectLabel(ProcessFacts facts) {
    byte[] theirs = reader.beginning(facts.place("attr/current"), LABEL_BYTES);
    byte[] own = reader.beginning("/proc/self/attr/current", LABEL_BYTES);
    if (theirs != null && own != null && !Arrays.equals(theirs, own)) {
      refuse(
          facts,
          "its security label " + new String(theirs, StandardCharsets.UTF_8).strip(),
          "it is not the dumper's, and labels are not carried yet",
          "run the dumper under the same label, or the program without its profile");
    }
  }

  private void inspectPlaces(ProcessFacts facts) {
    for (ProcessFacts.Place place : facts.places()) {
      FileStat stat = reader.stat(place.openPath());
      if (stat != null) {
        Ghosts.inspect(reader, options, facts.pid(), place.name() + " " + place.link(), place.link(), stat, sink);
      }
    }
    String exe = facts.exe();
    if (exe.isEmpty()) {
      refuse(facts, "it", "it has no program (a kernel thread)", "name a process of a user");
    } else {
      inspectProgram(facts);
    }
  }

  private void inspectProgram(ProcessFacts facts) {
    byte[] header = reader.beginning("/proc/" + facts.pid() + "/exe", ELF_HEADER_BYTES);
    if (header != null && header.length > ELF_CLASS_OFFSET && header[ELF_CLASS_OFFSET] != ELF_CLASS_64) {
      refuse(facts, "its program " + facts.exe(), "32-bit programs are not carried yet", "use the 64-bit build");
    }
  }

  private void inspectThread(int pid, int tid, ProcStatus status) {
    if (status.seccompMode() != 0) {
      sink.refuse(pid, "thread " + tid, "its seccomp filter is not carried yet", "start the program without the filter");
    }
    int tracerPid = status.tracerPid();
    if (tracerPid != 0 && !reader.ownThread(tracerPid)) {
      sink.refuse(
          pid, "thread " + tid, "process " + tracerPid + " traces it", "end the debugger or strace before the dump");
    }
    if (tid == pid && (status.state() == 'Z' || status.state() == 'X')) {
      sink.refuse(
          pid, "its main thread", "it has ended while others run on, which is not carried yet", "wait for its end");
    }
  }

  private void refuse(ProcessFacts facts, String object, String reason, String remedy) {
    sink.refuse(facts.pid(), object, reason, remedy);
  }
}
