package io.pagelift.linux;

/** Constants of the kernel's interface, under the kernel's own names. */
public final class Constants {
  // Opening files: open(2). O_LARGEFILE is what the kernel adds to every open of a 64-bit process.
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_ACCMODE = 3;
  public static final int O_CREAT = 0x40;
  public static final int O_EXCL = 0x80;
  public static final int O_NOCTTY = 0x100;
  public static final int O_TRUNC = 0x200;
  public static final int O_APPEND = 0x400;
  public static final int O_NONBLOCK = 0x800;
  public static final int O_DSYNC = 0x1000;
  public static final int O_ASYNC = 0x2000;
  public static final int O_DIRECT = 0x4000;
  public static final int O_LARGEFILE = 0x8000;
  public static final int O_DIRECTORY = 0x10000;
  public static final int O_NOFOLLOW = 0x20000;
  public static final int O_NOATIME = 0x40000;
  public static final int O_CLOEXEC = 0x80000;
  public static final int O_SYNC = 0x101000;
  public static final int O_PATH = 0x200000;
  public static final int O_TMPFILE = 0x410000;

  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_EMPTY_PATH = 0x1000;

  // Kinds of file in st_mode: inode(7).
  public static final int S_IFMT = 0xf000;
  public static final int S_IFSOCK = 0xc000;
  public static final int S_IFLNK = 0xa000;
  public static final int S_IFREG = 0x8000;
  public static final int S_IFBLK = 0x6000;
  public static final int S_IFDIR = 0x4000;
  public static final int S_IFCHR = 0x2000;
  public static final int S_IFIFO = 0x1000;

  public static final int SEEK_SET = 0;
  public static final int SEEK_CUR = 1;
  public static final int SEEK_END = 2;
  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  // fcntl(2).
  public static final int F_DUPFD = 0;
  public static final int F_GETFD = 1;
  public static final int F_SETFD = 2;
  public static final int F_GETFL = 3;
  public static final int F_SETFL = 4;
  public static final int F_GETLK = 5;
  public static final int F_SETLK = 6;
  public static final int F_SETOWN = 8;
  public static final int F_GETOWN = 9;
  public static final int F_SETSIG = 10;
  public static final int F_GETSIG = 11;
  public static final int F_SETOWN_EX = 15;
  public static final int F_GETOWN_EX = 16;
  public static final int F_GETOWNER_UIDS = 17;
  public static final int F_OFD_GETLK = 36;
  public static final int F_OFD_SETLK = 37;
  public static final int F_SETLEASE = 1024;
  public static final int F_GETLEASE = 1025;
  public static final int F_DUPFD_CLOEXEC = 1030;
  public static final int F_SETPIPE_SZ = 1031;
  public static final int F_GETPIPE_SZ = 1032;
  public static final int F_ADD_SEALS = 1033;
  public static final int F_GET_SEALS = 1034;
  public static final int FD_CLOEXEC = 1;

  public static final int FALLOC_FL_KEEP_SIZE = 1;
  public static final int FALLOC_FL_PUNCH_HOLE = 2;

  public static final int MFD_CLOEXEC = 1;
  public static final int MFD_ALLOW_SEALING = 2;
  public static final int MFD_HUGETLB = 4;
  public static final int MFD_NOEXEC_SEAL = 8;
  public static final int MFD_EXEC = 16;

  public static final int SPLICE_F_MOVE = 1;
  public static final int SPLICE_F_NONBLOCK = 2;
  public static final int SPLICE_F_MORE = 4;
  public static final int SPLICE_F_GIFT = 8;

  public static final int FIONREAD = 0x541b;
  public static final int FIONBIO = 0x5421;

  // mmap(2), mremap(2), madvise(2).
  public static final int PROT_NONE = 0;
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int PROT_EXEC = 4;
  public static final int PROT_GROWSDOWN = 0x01000000;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE = 2;
  public static final int MAP_FIXED = 0x10;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MAP_GROWSDOWN = 0x100;
  public static final int MAP_LOCKED = 0x2000;
  public static final int MAP_NORESERVE = 0x4000;
  public static final int MAP_POPULATE = 0x8000;
  public static final int MAP_STACK = 0x20000;
  public static final int MAP_HUGETLB = 0x40000;
  public static final int MAP_FIXED_NOREPLACE = 0x100000;
  public static final int MREMAP_MAYMOVE = 1;
  public static final int MREMAP_FIXED = 2;
  public static final int MREMAP_DONTUNMAP = 4;
  public static final int MADV_NORMAL = 0;
  public static final int MADV_RANDOM = 1;
  public static final int MADV_SEQUENTIAL = 2;
  public static final int MADV_WILLNEED = 3;
  public static final int MADV_DONTNEED = 4;
  public static final int MADV_REMOVE = 9;
  public static final int MADV_DONTFORK = 10;
  public static final int MADV_MERGEABLE = 12;
  public static final int MADV_HUGEPAGE = 14;
  public static final int MADV_NOHUGEPAGE = 15;
  public static final int MADV_DONTDUMP = 16;
  public static final int MADV_WIPEONFORK = 18;
  public static final int MADV_PAGEOUT = 21;
  public static final int MADV_POPULATE_WRITE = 23;
  public static final int MADV_GUARD_INSTALL = 102;
  // shmget(2), shmat(2), shmctl(2), linux/shm.h.
  public static final int IPC_CREAT = 01000;
  public static final int IPC_EXCL = 02000;
  public static final int IPC_RMID = 0;
  public static final int IPC_SET = 1;
  public static final int SHM_RDONLY = 010000;
  public static final int SHM_HUGETLB = 04000;
  public static final int SHM_LOCK = 11;
  public static final int MAP_DROPPABLE = 8;
  /** Where mmap(2) and memfd_create(2) take the binary logarithm of the size of huge pages. */
  public static final int MAP_HUGE_SHIFT = 26;
  public static final int MCL_FUTURE = 2;
  public static final int MCL_ONFAULT = 4;

  // Signals: signal(7).
  public static final int SIGHUP = 1;
  public static final int SIGINT = 2;
  public static final int SIGQUIT = 3;
  public static final int SIGILL = 4;
  public static final int SIGTRAP = 5;
  public static final int SIGABRT = 6;
  public static final int SIGBUS = 7;
  public static final int SIGFPE = 8;
  public static final int SIGKILL = 9;
  public static final int SIGUSR1 = 10;
  public static final int SIGSEGV = 11;
  public static final int SIGUSR2 = 12;
  public static final int SIGPIPE = 13;
  public static final int SIGALRM = 14;
  public static final int SIGTERM = 15;
  public static final int SIGCHLD = 17;
  public static final int SIGCONT = 18;
  public static final int SIGSTOP = 19;
  public static final int SIGTSTP = 20;
  public static final int SIGTTIN = 21;
  public static final int SIGTTOU = 22;
  public static final int SIGSYS = 31;
  public static final int SIGNAL_COUNT = 64;
  public static final int SIG_BLOCK = 0;
  public static final int SIG_UNBLOCK = 1;
  public static final int SIG_SETMASK = 2;
  /** The length in bytes of the kernel's signal set, an argument of the {@code rt_sig*} calls. */
  public static final int SIGNAL_SET_BYTES = 8;

  // wait4(2), waitid(2).
  public static final int WNOHANG = 1;
  public static final int WSTOPPED = 2;
  public static final int WEXITED = 4;
  public static final int WCONTINUED = 8;
  public static final int WNOWAIT = 0x01000000;
  public static final int WALL = 0x40000000;
  public static final int P_PID = 1;
  public static final int P_PIDFD = 3;

  // clone(2).
  public static final long CLONE_VM = 0x100;
  public static final long CLONE_FS = 0x200;
  public static final long CLONE_FILES = 0x400;
  public static final long CLONE_SIGHAND = 0x800;
  public static final long CLONE_PIDFD = 0x1000;
  public static final long CLONE_PTRACE = 0x2000;
  public static final long CLONE_VFORK = 0x4000;
  public static final long CLONE_PARENT = 0x8000;
  public static final long CLONE_THREAD = 0x10000;
  public static final long CLONE_NEWNS = 0x20000;
  public static final long CLONE_SYSVSEM = 0x40000;
  public static final long CLONE_SETTLS = 0x80000;
  public static final long CLONE_PARENT_SETTID = 0x100000;
  public static final long CLONE_CHILD_CLEARTID = 0x200000;
  public static final long CLONE_UNTRACED = 0x800000;
  public static final long CLONE_CHILD_SETTID = 0x1000000;
  public static final long CLONE_NEWUTS = 0x4000000;
  public static final long CLONE_NEWIPC = 0x8000000;
  public static final long CLONE_NEWUSER = 0x10000000;
  public static final long CLONE_NEWPID = 0x20000000;
  public static final long CLONE_NEWNET = 0x40000000;
  public static final long CLONE_IO = 0x80000000L;

  // prctl(2).
  public static final int PR_SET_PDEATHSIG = 1;
  public static final int PR_GET_PDEATHSIG = 2;
  public static final int PR_GET_DUMPABLE = 3;
  public static final int PR_SET_DUMPABLE = 4;
  public static final int PR_GET_KEEPCAPS = 7;
  public static final int PR_SET_KEEPCAPS = 8;
  public static final int PR_SET_NAME = 15;
  public static final int PR_GET_NAME = 16;
  public static final int PR_CAPBSET_READ = 23;
  public static final int PR_CAPBSET_DROP = 24;
  public static final int PR_GET_SECUREBITS = 27;
  public static final int PR_SET_SECUREBITS = 28;
  public static final int PR_SET_TIMERSLACK = 29;
  public static final int PR_GET_TIMERSLACK = 30;
  public static final int PR_SET_MM = 35;
  public static final int PR_SET_MM_MAP = 14;
  public static final int PR_SET_MM_MAP_SIZE = 15;
  public static final int PR_SET_CHILD_SUBREAPER = 36;
  public static final int PR_GET_CHILD_SUBREAPER = 37;
  public static final int PR_SET_NO_NEW_PRIVS = 38;
  public static final int PR_GET_NO_NEW_PRIVS = 39;
  public static final int PR_SET_THP_DISABLE = 41;
  public static final int PR_GET_THP_DISABLE = 42;
  public static final int PR_SET_MEMORY_MERGE = 67;
  public static final int PR_GET_MEMORY_MERGE = 68;
  public static final int PR_CAP_AMBIENT = 47;
  public static final int PR_CAP_AMBIENT_IS_SET = 1;
  public static final int PR_CAP_AMBIENT_RAISE = 2;
  public static final int PR_TIMER_CREATE_RESTORE_IDS = 77;

  public static final int GRND_NONBLOCK = 1;
  public static final int CLOCK_REALTIME = 0;
  public static final int CLOCK_MONOTONIC = 1;
  public static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  public static final int CLOCK_THREAD_CPUTIME_ID = 3;
  public static final int CLOCK_BOOTTIME = 7;
  public static final int CLOCK_REALTIME_ALARM = 8;
  public static final int CLOCK_BOOTTIME_ALARM = 9;
  public static final int CLOCK_TAI = 11;

  public static final int RLIM_NLIMITS = 16;
  public static final int RLIMIT_NOFILE = 7;
  public static final int POLLIN = 1;

  private Constants() {}
}
