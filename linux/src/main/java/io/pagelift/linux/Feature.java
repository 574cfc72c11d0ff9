package io.pagelift.linux;

/** What a kernel, and the user on it, can or cannot do for us; see {@link KernelFeatures}. */
public enum Feature {
  /** userfaultfd(2) with UFFD_USER_MODE_ONLY. */
  USERFAULTFD("userfaultfd"),
  /** The PAGEMAP_SCAN ioctl. */
  PAGEMAP_SCAN("PAGEMAP_SCAN"),
  /** Asynchronous write protection, found by writing to a protected page of our own. */
  UFFD_WP_ASYNC("userfaultfd asynchronous write protection"),
  /** The soft-dirty bit (CONFIG_MEM_SOFT_DIRTY). */
  SOFT_DIRTY("soft-dirty bit"),
  /** ptrace(2) by PTRACE_SEIZE and PTRACE_INTERRUPT. */
  PTRACE_SEIZE("PTRACE_SEIZE"),
  /** PTRACE_GET_RSEQ_CONFIGURATION. */
  RSEQ_CONFIGURATION("PTRACE_GET_RSEQ_CONFIGURATION"),
  /** The whole processor state by PTRACE_GETREGSET. */
  EXTENDED_STATE("extended processor state by PTRACE_GETREGSET"),
  /** process_vm_readv(2) and process_vm_writev(2). */
  PROCESS_VM("process_vm_readv"),
  /** Writing to read-only pages through /proc/PID/mem, which some kernels restrict. */
  PROC_MEM_WRITE("writing /proc/PID/mem"),
  /** Opening files by /proc/PID/map_files. */
  MAP_FILES("/proc/PID/map_files"),
  /** /proc/PID/task/TID/children. */
  PROC_CHILDREN("/proc/PID/task/TID/children"),
  /** pidfd_open(2). */
  PIDFD_OPEN("pidfd_open"),
  /** pidfd_getfd(2) from another process. */
  PIDFD_GETFD("pidfd_getfd"),
  /** kcmp(2). */
  KCMP("kcmp"),
  /** Choosing a process's id: clone3(2) with set_tid. */
  CLONE3_SET_TID("clone3 with set_tid"),
  /** prctl(PR_SET_MM, PR_SET_MM_MAP). */
  PR_SET_MM_MAP("PR_SET_MM_MAP"),
  /** Choosing a POSIX timer's id: PR_TIMER_CREATE_RESTORE_IDS, Linux 6.15. */
  TIMER_RESTORE_IDS("PR_TIMER_CREATE_RESTORE_IDS"),
  /** close_range(2). */
  CLOSE_RANGE("close_range"),
  /** Time namespaces. */
  TIME_NAMESPACE("time namespaces"),
  /** The TCP_REPAIR socket option. */
  TCP_REPAIR("TCP_REPAIR"),
  /** Listing sockets by netlink. */
  SOCK_DIAG("socket diagnostics by netlink");

  private final String title;

  Feature(String title) {
    this.title = title;
  }

  /** A name for people. */
  public String title() {
    return title;
  }
}
