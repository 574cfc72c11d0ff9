package io.pagelift.dumper.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import io.pagelift.image.IntervalTimer;
import io.pagelift.image.PosixTimer;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.ptrace.Registers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One victim with a value in everything that belongs to a process or a thread. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ProcessCollectedTest {
  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <pthread.h>
      #include <sched.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <sys/prctl.h>
      #include <sys/resource.h>
      #include <sys/stat.h>
      #include <sys/syscall.h>
      #include <sys/time.h>
      #include <time.h>
      #include <unistd.h>
      static char stack[16384];
      static void handler(int s, siginfo_t *i, void *c) { }
      static void *thread(void *x) {
        stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
        sigaltstack(&alternate, 0);
        prctl(PR_SET_NAME, "second");
        prctl(PR_SET_TIMERSLACK, 70000);
        setpriority(PRIO_PROCESS, syscall(SYS_gettid), 5);
        cpu_set_t one; CPU_ZERO(&one); CPU_SET(0, &one);
        sched_setaffinity(0, sizeof one, &one);
        printf("stack %lx\\nready\\n", (unsigned long)stack); fflush(stdout);
        for (;;) pause();
      }
      int main(void) {
        sigset_t set;
        sigemptyset(&set); sigaddset(&set, SIGUSR1); sigaddset(&set, SIGRTMIN + 3);
        sigprocmask(SIG_BLOCK, &set, 0);
        struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
        sigaddset(&action.sa_mask, SIGALRM);
        sigaction(SIGUSR2, &action, 0);
        signal(SIGPIPE, SIG_IGN);
        union sigval value = { .sival_int = 41 };
        sigqueue(getpid(), SIGRTMIN + 3, value); value.sival_int = 42; sigqueue(getpid(), SIGRTMIN + 3, value);
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
        struct itimerval interval = { { 2, 5 }, { 500, 0 } };
        setitimer(ITIMER_REAL, &interval, 0);
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 9 };
        timer_t timer;
        timer_create(CLOCK_MONOTONIC, &event, &timer); timer_delete(timer);
        timer_create(CLOCK_MONOTONIC, &event, &timer);
        struct itimerspec time = { { 7, 8 }, { 600, 0 } };
        timer_settime(timer, 0, &time, 0);
        umask(027);
        struct rlimit limit = { 77, 88 };
        setrlimit(RLIMIT_NOFILE, &limit);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        prctl(PR_SET_DUMPABLE, 1);
        prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        FILE *f = fopen("/proc/self/oom_score_adj", "w"); fputs("321", f); fclose(f);
        f = fopen("/proc/self/coredump_filter", "w"); fputs("0x21", f); fclose(f);
        void *brk = sbrk(0); sbrk(100);
        printf("brk %lx\\n", (unsigned long)sbrk(0));
        void *shared = mmap(0, 12288, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        void *guard = mmap(0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(guard, 8192, MADV_DONTDUMP);
        printf("shared %lx guard %lx handler %lx\\n", (unsigned long)shared, (unsigned long)guard, (unsigned long)handler);
        if (fork() == 0) { setpgid(0, 0); raise(SIGSTOP); }
        if (fork() == 0) exit(9);
        sleep(1);
        pthread_t t; pthread_create(&t, 0, thread, 0);
        for (;;) pause();
      }
      """;

  private Victim victim;
  private Collected collected;
  private ProcessImage root;
  private ThreadImage leader;
  private ThreadImage second;

  @BeforeAll
  void collect() {
    victim = Victim.start(SOURCE);
    collected = Collected.from(victim);
    root = collected.root();
    leader = root.getThreads(0);
    second = root.getThreads(1);
  }

  @AfterAll
  void end() {
    victim.close();
  }

  private long printed(String name) {
    String output = victim.output();
    int at = output.indexOf(name + " ") + name.length() + 1;
    int end = at;
    while (end < output.length() && Character.digit(output.charAt(end), 16) >= 0) {
      end++;
    }
    return Long.parseLong(output.substring(at, end), 16);
  }

  @Test
  void theProcessHasItsPlaceInTheTree() {
    assertThat(root.getPid()).isEqualTo(victim.pid());
    assertThat(root.getParentPid()).isZero();
    assertThat(root.getSession()).isEqualTo(victim.pid());
    assertThat(root.getState()).isEqualTo(ProcessImage.State.ALIVE);
    assertThat(root.getExitSignal()).isEqualTo(Constants.SIGCHLD);
    assertThat(collected.image().getShellJob()).isFalse();
    assertThat(collected.image().getProcessesList()).hasSize(3);
  }

  @Test
  void aStoppedChildAndAZombieAreToldApart() {
    ProcessImage stopped = collected.image().getProcesses(1);
    assertThat(stopped.getState()).isEqualTo(ProcessImage.State.STOPPED);
    assertThat(stopped.getStopSignal()).isEqualTo(Constants.SIGSTOP);
    assertThat(stopped.getProcessGroup()).isEqualTo(stopped.getPid());
    assertThat(Deadline.inMillis(20_000).await(() -> Victim.status(stopped.getPid(), "State").startsWith("T (stopped)")))
        .isTrue();
    ProcessImage zombie = collected.image().getProcesses(2);
    assertThat(zombie.getState()).isEqualTo(ProcessImage.State.ZOMBIE);
    assertThat(zombie.getExitStatus()).isEqualTo(9 << 8);
    assertThat(zombie.getParentPid()).isEqualTo(victim.pid());
    assertThat(zombie.getComm()).isEqualTo("victim");
    assertThat(zombie.hasAddressSpace()).isFalse();
  }

  @Test
  void signalActionsAreTheKernels() {
    assertThat(root.getSignalActionsList())
        .anyMatch(
            action ->
                action.getSignal() == Constants.SIGUSR2
                    && action.getHandler() == printed("handler")
                    && (action.getFlags() & 0x10000004L) == 0x10000004L
                    && action.getMask() == 1L << (Constants.SIGALRM - 1)
                    && action.getRestorer() != 0)
        .anyMatch(action -> action.getSignal() == Constants.SIGPIPE && action.getHandler() == 1);
  }

  @Test
  void queuedSignalsKeepTheirOrderAndValues() {
    int realtime = 34 + 3;
    assertThat(root.getSharedPendingList()).hasSize(2);
    assertThat(root.getSharedPendingList().stream().map(signal -> word(signal.getSiginfo().toByteArray(), 0)))
        .containsSubsequence(realtime, realtime);
    assertThat(
            root.getSharedPendingList().stream()
                .filter(signal -> word(signal.getSiginfo().toByteArray(), 0) == realtime)
                .map(signal -> word(signal.getSiginfo().toByteArray(), 24)))
        .containsExactly(41, 42);
    assertThat(leader.getPendingList()).hasSize(1);
    assertThat(word(leader.getPending(0).getSiginfo().toByteArray(), 0)).isEqualTo(Constants.SIGUSR1);
    assertThat(leader.getSignalMask()).isEqualTo(1L << (Constants.SIGUSR1 - 1) | 1L << (realtime - 1));
  }

  private static int word(byte[] bytes, int offset) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt(offset);
  }

  @Test
  void timersHaveWhatIsLeft() {
    IntervalTimer interval = root.getTimers().getIntervalTimers(0);
    assertThat(interval.getIntervalMicros()).isEqualTo(2_000_005);
    assertThat(interval.getValueMicros()).isBetween(300_000_000L, 500_000_000L);
    assertThat(root.getTimers().getPosixTimersList()).hasSize(1);
    PosixTimer timer = root.getTimers().getPosixTimers(0);
    assertThat(timer.getId()).isEqualTo(1);
    assertThat(timer.getClock()).isEqualTo(Constants.CLOCK_MONOTONIC);
    assertThat(timer.getSignal()).isEqualTo(Constants.SIGUSR2);
    assertThat((int) timer.getSignalValue()).isEqualTo(9);
    assertThat(timer.getNotify()).isZero();
    assertThat(timer.getIntervalNanos()).isEqualTo(7_000_000_008L);
    assertThat(timer.getValueNanos()).isBetween(400_000_000_000L, 600_000_000_000L);
  }

  @Test
  void limitsPlacesAndSwitchesAreCarried() {
    assertThat(root.getLimits(Constants.RLIMIT_NOFILE).getSoft()).isEqualTo(77);
    assertThat(root.getLimits(Constants.RLIMIT_NOFILE).getHard()).isEqualTo(88);
    assertThat(root.getFs().getUmask()).isEqualTo(027);
    assertThat(root.getFs().getCwd().toStringUtf8()).isEqualTo(victim.directory().toString());
    assertThat(root.getFs().getRoot().toStringUtf8()).isEqualTo("/");
    assertThat(root.getControls().getNoNewPrivs()).isTrue();
    assertThat(root.getControls().getChildSubreaper()).isTrue();
    assertThat(root.getControls().getDumpable()).isEqualTo(1);
    assertThat(root.getControls().getThpDisabled()).isTrue();
    assertThat(root.getControls().getOomScoreAdj()).isEqualTo(321);
    assertThat(root.getControls().getCoredumpFilter()).isEqualTo(0x21);
  }

  @Test
  void theAddressSpaceHasItsLayoutAndMappings() {
    assertThat(root.getAddressSpace().getLayout().getBrk()).isEqualTo(printed("brk"));
    assertThat(root.getAddressSpace().getExePath().toStringUtf8()).isEqualTo(victim.directory().resolve("victim").toString());
    assertThat(root.getAddressSpace().getAuxv().size()).isGreaterThan(16 * 10);
    assertThat(root.getAddressSpace().getVmasList())
        .anyMatch(vma -> vma.getStart() == printed("shared") && vma.getSharedMemoryId() != 0)
        .anyMatch(vma -> vma.getStart() == printed("guard") && vma.getProtection() == 0 && vma.getVmFlagsList().contains("dd"))
        .anyMatch(vma -> vma.getName().equals("[stack]") && vma.getVmFlagsList().contains("gd"))
        .noneMatch(vma -> vma.getName().equals("[vsyscall]"));
    assertThat(collected.image().getSharedMemoriesList())
        .anyMatch(memory -> memory.getSizeBytes() == 12288 && memory.getObjectId() != 0);
  }

  @Test
  void threadsHaveTheirOwnState() {
    assertThat(leader.getComm().toStringUtf8()).isEqualTo("victim");
    assertThat(leader.getParentDeathSignal()).isEqualTo(Constants.SIGTERM);
    assertThat(leader.getAlternateStack().getFlags()).isEqualTo(2);
    assertThat(second.getComm().toStringUtf8()).isEqualTo("second");
    assertThat(second.getAlternateStack().getAddress()).isEqualTo(printed("stack"));
    assertThat(second.getAlternateStack().getSizeBytes()).isEqualTo(16384);
    assertThat(second.getTimerSlackNanos()).isEqualTo(70000);
    assertThat(second.getScheduling().getNice()).isEqualTo(5);
    assertThat(second.getScheduling().getAffinity().byteAt(0)).isEqualTo((byte) 1);
    assertThat(leader.getScheduling().getAffinity().isEmpty()).isTrue();
    assertThat(second.getClearChildTid()).isNotZero();
    assertThat(second.getRobustListHead()).isNotZero().isNotEqualTo(leader.getRobustListHead());
    assertThat(second.getRseq().getAddress()).isNotZero();
    assertThat(second.getCredentials().getNoNewPrivs()).isTrue();
    assertThat(second.getExtendedState().size()).isGreaterThan(512);
  }

  @Test
  void aThreadInACallHasTheCallsNumberInItsRegisters() {
    Registers registers = Registers.of(leader.getGeneralRegisters().toByteArray());
    assertThat(registers.origRax()).isEqualTo(34);
    assertThat(registers.restartPending()).isTrue();
  }
}
