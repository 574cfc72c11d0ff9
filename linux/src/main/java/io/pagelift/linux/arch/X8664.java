package io.pagelift.linux.arch;

import java.util.HashMap;
import java.util.Map;

/**
 * The x86-64 architecture.
 *
 * <p>The two name tables are in the order of the kernel's {@code syscall_64.tbl}: the common table starts at 0, the one that
 * all architectures share from Linux 5.1 on starts at 424.
 */
final class X8664 implements Architecture {
  private static final int SECOND_TABLE_START = 424;

  private static final String FIRST_TABLE =
      "read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction "
          + "rt_sigprocmask rt_sigreturn ioctl pread64 pwrite64 readv writev access pipe select sched_yield "
          + "mremap msync mincore madvise shmget shmat shmctl dup dup2 pause nanosleep getitimer alarm setitimer "
          + "getpid sendfile socket connect accept sendto recvfrom sendmsg recvmsg shutdown bind listen "
          + "getsockname getpeername socketpair setsockopt getsockopt clone fork vfork execve exit wait4 kill "
          + "uname semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl flock fsync fdatasync truncate "
          + "ftruncate getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink readlink chmod "
          + "fchmod chown fchown lchown umask gettimeofday getrlimit getrusage sysinfo times ptrace getuid syslog "
          + "getgid setuid setgid geteuid getegid setpgid getppid getpgrp setsid setreuid setregid getgroups "
          + "setgroups setresuid getresuid setresgid getresgid getpgid setfsuid setfsgid getsid capget capset "
          + "rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack utime mknod uselib "
          + "personality ustat statfs fstatfs sysfs getpriority setpriority sched_setparam sched_getparam "
          + "sched_setscheduler sched_getscheduler sched_get_priority_max sched_get_priority_min "
          + "sched_rr_get_interval mlock munlock mlockall munlockall vhangup modify_ldt pivot_root _sysctl prctl "
          + "arch_prctl adjtimex setrlimit chroot sync acct settimeofday mount umount2 swapon swapoff reboot "
          + "sethostname setdomainname iopl ioperm create_module init_module delete_module get_kernel_syms "
          + "query_module quotactl nfsservctl getpmsg putpmsg afs_syscall tuxcall security gettid readahead "
          + "setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr "
          + "removexattr lremovexattr fremovexattr tkill time futex sched_setaffinity sched_getaffinity "
          + "set_thread_area io_setup io_destroy io_getevents io_submit io_cancel get_thread_area lookup_dcookie "
          + "epoll_create epoll_ctl_old epoll_wait_old remap_file_pages getdents64 set_tid_address "
          + "restart_syscall semtimedop fadvise64 timer_create timer_settime timer_gettime timer_getoverrun "
          + "timer_delete clock_settime clock_gettime clock_getres clock_nanosleep exit_group epoll_wait "
          + "epoll_ctl tgkill utimes vserver mbind set_mempolicy get_mempolicy mq_open mq_unlink mq_timedsend "
          + "mq_timedreceive mq_notify mq_getsetattr kexec_load waitid add_key request_key keyctl ioprio_set "
          + "ioprio_get inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat mknodat "
          + "fchownat futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat fchmodat faccessat "
          + "pselect6 ppoll unshare set_robust_list get_robust_list splice tee sync_file_range vmsplice "
          + "move_pages utimensat epoll_pwait signalfd timerfd_create eventfd fallocate timerfd_settime "
          + "timerfd_gettime accept4 signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev "
          + "rt_tgsigqueueinfo perf_event_open recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at "
          + "open_by_handle_at clock_adjtime syncfs sendmmsg setns getcpu process_vm_readv process_vm_writev kcmp "
          + "finit_module sched_setattr sched_getattr renameat2 seccomp getrandom memfd_create kexec_file_load "
          + "bpf execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc "
          + "pkey_free statx io_pgetevents rseq";

  private static final String SECOND_TABLE =
      "pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen "
          + "fsconfig fsmount fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise "
          + "epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule "
          + "landlock_restrict_self memfd_secret process_mrelease futex_waitv set_mempolicy_home_node cachestat "
          + "fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount "
          + "lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal";

  private final Map<String, Integer> numbers = new HashMap<>();
  private final Map<Integer, String> names = new HashMap<>();

  X8664() {
    fill(FIRST_TABLE, 0);
    fill(SECOND_TABLE, SECOND_TABLE_START);
  }

  private void fill(String table, int firstNumber) {
    int number = firstNumber;
    for (String name : table.split(" ", -1)) {
      numbers.put(name, number);
      names.put(number, name);
      number++;
    }
  }

  @Override
  public String name() {
    return "x86_64";
  }

  @Override
  public int syscallNumber(String syscallName) {
    Integer number = numbers.get(syscallName);
    if (number == null) {
      throw new IllegalArgumentException("x86_64 has no system call " + syscallName);
    }
    return number;
  }

  @Override
  public String syscallName(long number) {
    String name = number == (int) number ? names.get((int) number) : null;
    return name == null ? "syscall " + number : name;
  }

  @Override
  public byte[] pauseForeverCode() {
    return new byte[] {
      (byte) 0xb8, 0x22, 0x00, 0x00, 0x00, // mov $34 (pause), %eax
      0x0f, 0x05, // syscall
      (byte) 0xeb, (byte) 0xf7 // jmp back to the mov
    };
  }

  @Override
  public StubCode stubCode() {
    return new X8664StubCode();
  }

  @Override
  public int elfMachine() {
    return 62;
  }
}
