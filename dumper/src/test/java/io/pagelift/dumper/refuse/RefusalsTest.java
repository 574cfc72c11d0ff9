package io.pagelift.dumper.refuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import io.pagelift.dumper.tree.CollectOptions;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Spawn;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One victim with many things that cannot be carried, each refused by name before the freeze, and as a whole inside it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RefusalsTest {
  private static final CollectOptions OPTIONS = CollectOptions.plain("test");

  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <fcntl.h>
      #include <linux/filter.h>
      #include <linux/seccomp.h>
      #include <pthread.h>
      #include <sched.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <sys/file.h>
      #include <sys/inotify.h>
      #include <sys/mman.h>
      #include <sys/prctl.h>
      #include <sys/shm.h>
      #include <sys/socket.h>
      #include <sys/stat.h>
      #include <sys/syscall.h>
      #include <unistd.h>
      static char stack[65536];
      static int child(void *x) { for (;;) pause(); return 0; }
      static void at(int fd, int number) { dup2(fd, number); close(fd); }
      int main(void) {
        at(socket(AF_INET, SOCK_STREAM, 0), 100);
        at(posix_openpt(O_RDWR | O_NOCTTY), 101);
        at(inotify_init(), 102);
        mkfifo("fifo", 0600);
        at(open("fifo", O_RDWR), 103);
        int ends[2];
        pipe2(ends, O_DIRECT);
        at(ends[0], 104); at(ends[1], 105);
        at(open("locked", O_RDWR | O_CREAT, 0600), 106);
        flock(106, LOCK_EX);
        at(syscall(SYS_pidfd_open, getpid(), 0), 107);
        at(open("renamed", O_RDWR | O_CREAT, 0600), 108);
        link("renamed", "other"); unlink("renamed");
        at(open("/proc/self/stat", O_RDONLY), 109);
        at(open("/proc/self/ns/net", O_RDONLY), 110);
        int mapped = open("mapped", O_RDWR | O_CREAT, 0600);
        ftruncate(mapped, 4096);
        // More than the contents of an unlinked file may take.
        posix_fallocate(mapped, 0, 4 << 20);
        mmap(0, 4096, PROT_READ, MAP_PRIVATE, mapped, 0);
        close(mapped); unlink("mapped");
        clone(child, stack + sizeof stack, CLONE_FILES | SIGCHLD, 0);
        if (fork() == 0) { unshare(CLONE_NEWUTS); for (;;) pause(); }
        if (fork() == 0) {
          mkdir("left", 0700); chdir("left"); rmdir("../left");
          prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
          struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
          struct sock_fprog program = { 1, all };
          prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
          puts("ready"); fflush(stdout);
          for (;;) pause();
        }
        for (;;) pause();
      }
      """;

  private Victim victim;
  private List<Refusal> refusals;

  @BeforeAll
  void check() {
    victim = Victim.start(SOURCE);
    refusals = Refusals.check(victim.pid(), OPTIONS);
  }

  @AfterAll
  void end() {
    victim.close();
  }

  @Test
  void descriptorsAreRefusedByNumberAndName() {
    assertRefused("fd 100 (socket:", "socket");
    assertRefused("fd 101 (/dev/ptmx)", "terminals");
    assertRefused("fd 106 ", "locks");
    assertRefused("fd 108 ", "has another one");
  }

  @Test
  void mappingsAreRefusedByPlaceAndName() {
    assertRefused("/mapped (deleted))", "--ghost-limit");
  }

  @Test
  void processesAreRefusedForWhatTheyAre() {
    assertRefused("its descriptor table (CLONE_FILES)", "share");
    assertRefused("its uts namespace", "namespaces");
    assertRefused("thread ", "seccomp");
  }

  @Test
  void everyRefusalIsASentenceWithThePidAndARemedy() {
    assertThat(refusals)
        .allSatisfy(
            refusal -> assertThat(refusal.sentence()).startsWith("Process ").contains(": ").contains("; ").endsWith("."));
  }

  @Test
  void theSameIsRefusedInsideTheFreezeAndTheTreeRunsOn() {
    assertThatThrownBy(() -> Collected.from(victim))
        .isInstanceOfSatisfying(
            PageliftException.class, failure -> assertThat(failure.category()).isEqualTo(ErrorCategory.REFUSED))
        .hasMessageContaining("fd 100 (socket:")
        .hasMessageContaining("Process " + victim.pid());
    assertThat(Victim.status(victim.pid(), "TracerPid")).isEqualTo("0");
    assertThat(Victim.status(victim.pid(), "State")).doesNotStartWith("t");
  }

  @Test
  void aPipeIntoAnotherTreeIsRefused() {
    try (Victim shell = Victim.shell("sh -c 'echo $$ > left; exec sleep 1000' | cat & sleep 0.5; echo ready; wait")) {
      int sleeper = Integer.parseInt(shell.text("left").strip());
      assertThat(Refusals.check(sleeper, OPTIONS.withShellJob(true)))
          .anyMatch(refusal -> refusal.object().startsWith("fd 1 (pipe:") && refusal.reason().contains("outside of the tree"));
      assertThatThrownBy(() -> Collected.from(sleeper, true)).hasMessageContaining("fd 1 (pipe:");
      assertThat(Refusals.check(shell.pid(), OPTIONS)).isEmpty();
    }
  }

  @Test
  void aProcessWhoseSessionHasNoLeaderAnyMoreIsRefused() {
    String source =
        """
        #include <stdio.h>
        #include <sys/prctl.h>
        #include <sys/wait.h>
        #include <unistd.h>
        int main(void) {
          prctl(PR_SET_CHILD_SUBREAPER, 1);
          if (fork() == 0) { setsid(); if (fork() == 0) for (;;) pause(); _exit(0); }
          usleep(300000);
          while (waitpid(-1, 0, 1) > 0);
          puts("ready"); fflush(stdout);
          for (;;) pause();
        }
        """;
    try (Victim orphaned = Victim.start(source)) {
      assertThat(Refusals.check(orphaned.pid(), OPTIONS))
          .anyMatch(refusal -> refusal.object().startsWith("its session ") && refusal.pid() != orphaned.pid());
      Spawn.kill(Refusals.check(orphaned.pid(), OPTIONS).get(0).pid(), Constants.SIGKILL);
    }
  }

  @Test
  void aTreeThatCanBeCarriedIsNotRefused() {
    try (Victim shell = Victim.shell("echo ready; while :; do sleep 0.01; done")) {
      assertThat(Refusals.check(shell.pid(), OPTIONS)).isEmpty();
    }
  }

  @Test
  void aProcessThatIsNotThereIsRefused() {
    assertThat(Refusals.check(4_000_000, OPTIONS)).hasSize(1);
  }

  private void assertRefused(String object, String reason) {
    assertThat(refusals)
        .anyMatch(
            refusal ->
                refusal.object().contains(object) && (refusal.reason() + refusal.object()).contains(reason));
  }
}
