package io.pagelift.dumper.check;

import io.pagelift.linux.Feature;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * One feature of the kernel, how much depends on it, and what to do when it is missing.
 *
 * @param feature what was tried
 * @param needed whether nothing works without it; otherwise some trees or some speed are lost
 * @param consequence what is lost without it
 * @param remedy what the user can do
 */
record Requirement(Feature feature, boolean needed, String consequence, String remedy) {
  private static final Set<Feature> AT_DESTINATION =
      EnumSet.of(Feature.CLOSE_RANGE, Feature.CLONE3_SET_TID, Feature.PR_SET_MM_MAP);

  private static final String AS_ROOT = "run this as root, or with CAP_SYS_PTRACE and CAP_CHECKPOINT_RESTORE";

  /** All of them, the needed ones first. */
  static List<Requirement> all() {
    return List.of(
        needed(Feature.PTRACE_SEIZE, "no process can be frozen", "allow ptrace: kernel.yama.ptrace_scope 0 to 2, and no seccomp filter against it"),
        needed(Feature.EXTENDED_STATE, "registers cannot be read whole", "use Linux 5.4 or later"),
        needed(Feature.PROCESS_VM, "memory cannot be read", "use a kernel with CONFIG_CROSS_MEMORY_ATTACH; " + AS_ROOT),
        needed(Feature.PROC_MEM_WRITE, "calls cannot be injected", "boot without proc_mem.force_override=never; " + AS_ROOT),
        needed(Feature.PIDFD_OPEN, "processes cannot be told apart safely", "use Linux 5.3 or later"),
        needed(Feature.PIDFD_GETFD, "descriptors cannot be fetched", "use Linux 5.6 or later; " + AS_ROOT),
        needed(Feature.KCMP, "shared objects cannot be recognised", "use a kernel with CONFIG_KCMP"),
        needed(Feature.PROC_CHILDREN, "a tree cannot be walked", "use a kernel with CONFIG_PROC_CHILDREN"),
        needed(Feature.CLOSE_RANGE, "processes cannot be rebuilt here", "use Linux 5.9 or later"),
        needed(Feature.CLONE3_SET_TID, "processes cannot be rebuilt with their pids here", "use Linux 5.5 or later; " + AS_ROOT),
        needed(Feature.PR_SET_MM_MAP, "address spaces cannot be rebuilt here", "use a kernel with CONFIG_CHECKPOINT_RESTORE"),
        wanted(Feature.USERFAULTFD, "the best tracker, 'uffd-wp', cannot be used", "use a kernel with CONFIG_USERFAULTFD; allow it to this user"),
        wanted(Feature.PAGEMAP_SCAN, "scans take longer, and the best tracker, 'uffd-wp', cannot be used", "use Linux 6.7 or later"),
        wanted(Feature.UFFD_WP_ASYNC, "every round freezes the tree (tracker 'soft-dirty') or reads all memory ('compare')", "use Linux 6.7 or later"),
        wanted(Feature.MAP_FILES, "shared memory without a descriptor cannot be read", AS_ROOT),
        wanted(Feature.RSEQ_CONFIGURATION, "restartable sequences of threads are lost", "use Linux 5.13 or later"),
        wanted(Feature.TIMER_RESTORE_IDS, "POSIX timers with gaps in their ids are slow to rebuild", "use Linux 6.15 or later"),
        wanted(Feature.SOFT_DIRTY, "the tracker 'soft-dirty' cannot be used", "use 'uffd-wp', which needs no such kernel, or one built with CONFIG_MEM_SOFT_DIRTY"),
        wanted(Feature.TIME_NAMESPACE, "monotonic clocks of restored processes jump", "use a kernel with CONFIG_TIME_NS"),
        wanted(Feature.TCP_REPAIR, "TCP connections cannot be carried over", "run this with CAP_NET_ADMIN"),
        wanted(Feature.SOCK_DIAG, "sockets cannot be recognised", "use a kernel with CONFIG_UNIX_DIAG and CONFIG_INET_DIAG"));
  }

  /** Whether pre-dump and dump need it; the other needed ones are needed by a restore on this host. */
  boolean neededAtSource() {
    return needed && !AT_DESTINATION.contains(feature);
  }

  /** What is missing, why that matters and what to do, as the end of a sentence. */
  String sentence(String refusal) {
    return feature.title() + " is missing (" + refusal + "): " + consequence + "; " + remedy + ".";
  }

  /** Whether its absence is worth a word to somebody who only wants to migrate: another tracker does the same. */
  boolean covered(boolean writeProtectWorks) {
    return feature == Feature.SOFT_DIRTY && writeProtectWorks;
  }

  private static Requirement needed(Feature feature, String consequence, String remedy) {
    return new Requirement(feature, true, consequence, remedy);
  }

  private static Requirement wanted(Feature feature, String consequence, String remedy) {
    return new Requirement(feature, false, consequence, remedy);
  }
}
