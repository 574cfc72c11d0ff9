package io.pagelift.dumper.freeze;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pagelift.common.PageliftException;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.testing.Victim;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.SpawnActions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FrozenTreeTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  private final TracerThread tracer = TracerThread.start();

  @AfterEach
  void endTracer() {
    tracer.close();
  }

  private static final String FORKING =
      """
      #include <stdio.h>
      #include <unistd.h>
      #include <sys/wait.h>
      #include <time.h>
      int main(void) {
        for (int i = 0; i < 3; i++)
          if (fork() == 0)
            for (;;) {
              pid_t child = fork();
              if (child == 0) { if (fork() == 0) { usleep(500); _exit(0); } usleep(300); _exit(0); }
              while (waitpid(-1, 0, WNOHANG) > 0);
              usleep(200);
            }
        puts("ready"); fflush(stdout);
        for (;;) pause();
      }
      """;

  private static final String THREADING =
      """
      #include <stdio.h>
      #include <pthread.h>
      #include <unistd.h>
      static void *brief(void *x) { usleep(100); return x; }
      static void *maker(void *x) {
        for (;;) { pthread_t t; if (!pthread_create(&t, 0, brief, 0)) pthread_join(t, 0); }
        return x;
      }
      int main(void) {
        for (int i = 0; i < 4; i++) { pthread_t t; pthread_create(&t, 0, maker, 0); }
        puts("ready"); fflush(stdout);
        for (;;) pause();
      }
      """;

  @Test
  void everyThreadOfATreeThatForksAllTheTimeStandsStill() {
    try (Victim victim = Victim.start(FORKING)) {
      for (int i = 0; i < 20; i++) {
        try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
          assertThat(tree.processes()).hasSizeGreaterThanOrEqualTo(4);
          assertAllStopped(victim.pid());
          assertThat(tree.processes().stream().map(FrozenProcess::pid).toList()).containsExactlyInAnyOrderElementsOf(walk(victim.pid()));
        }
      }
      assertThat(Victim.status(victim.pid(), "TracerPid")).isEqualTo("0");
    }
  }

  @Test
  void everyThreadOfAProcessThatMakesThreadsAllTheTimeStandsStill() {
    try (Victim victim = Victim.start(THREADING)) {
      for (int i = 0; i < 20; i++) {
        try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
          assertThat(tree.root().threads()).hasSizeGreaterThanOrEqualTo(5);
          assertAllStopped(victim.pid());
        }
      }
      assertThat(Victim.status(victim.pid(), "TracerPid")).isEqualTo("0");
    }
  }

  @Test
  void aParentInVforkIsWaitedForUntilItsChildExecs() {
    String source =
        """
        #include <stdio.h>
        #include <unistd.h>
        #include <sys/wait.h>
        int main(void) {
          puts("ready"); fflush(stdout);
          for (;;) { if (vfork() == 0) { usleep(3000); execl("/bin/true", "true", (char *)0); _exit(1); } wait(0); }
        }
        """;
    try (Victim victim = Victim.start(source)) {
      for (int i = 0; i < 5; i++) {
        try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
          assertThat(tree.processes()).isNotEmpty();
          assertAllStopped(victim.pid());
        }
      }
    }
  }

  @Test
  void aStoppedProcessStaysStoppedAndItsSignalIsKnown() {
    try (Victim victim = Victim.shell("echo ready; while :; do sleep 0.01; done")) {
      Spawn.kill(victim.pid(), Constants.SIGSTOP);
      assertThat(Deadline.inMillis(10_000).await(() -> Victim.status(victim.pid(), "State").startsWith("T"))).isTrue();
      try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
        assertThat(tree.root().stopSignal()).isEqualTo(Constants.SIGSTOP);
      }
      // The kernel wakes it to make it stop again by itself: it may be seen running in between.
      assertThat(Deadline.inMillis(10_000).await(() -> Victim.status(victim.pid(), "State").startsWith("T (stopped)"))).isTrue();
      Spawn.kill(victim.pid(), Constants.SIGCONT);
      assertThat(Deadline.inMillis(10_000).await(() -> !Victim.status(victim.pid(), "State").startsWith("T"))).isTrue();
    }
  }

  @Test
  void aThreadThatWaitsForEventsOrSignalsDoesNotNoticeTheStop() {
    String source =
        """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/epoll.h>
        #include <sys/eventfd.h>
        #include <sys/ipc.h>
        #include <sys/sem.h>
        #include <unistd.h>
        static int counter, semaphores;
        static void *events(void *x) {
          int poll = epoll_create1(0);
          struct epoll_event event = { EPOLLIN, { 0 } };
          epoll_ctl(poll, EPOLL_CTL_ADD, counter, &event);
          int n = epoll_wait(poll, &event, 1, -1);
          printf("events %d %s\\n", n, n < 0 ? strerror(errno) : ""); fflush(stdout);
          return x;
        }
        static void *signals(void *x) {
          sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1);
          int n = sigwaitinfo(&set, 0);
          printf("signal %d %s\\n", n, n < 0 ? strerror(errno) : ""); fflush(stdout);
          return x;
        }
        static void *waits(void *x) {
          struct sembuf down = { 0, -1, 0 };
          int n = semop(semaphores, &down, 1);
          printf("semaphore %d %s\\n", n, n < 0 ? strerror(errno) : ""); fflush(stdout);
          return x;
        }
        int main(void) {
          sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1);
          sigprocmask(SIG_BLOCK, &set, 0);
          counter = eventfd(0, 0);
          semaphores = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
          void *(*all[])(void *) = { events, signals, waits };
          pthread_t threads[3];
          for (int i = 0; i < 3; i++) pthread_create(&threads[i], 0, all[i], 0);
          usleep(300000);
          puts("ready"); fflush(stdout);
          while (access("go", F_OK)) usleep(1000);
          eventfd_write(counter, 1);
          kill(getpid(), SIGUSR1);
          struct sembuf up = { 0, 1, 0 };
          semop(semaphores, &up, 1);
          for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
          semctl(semaphores, 0, IPC_RMID);
          puts("done"); fflush(stdout);
          for (;;) pause();
        }
        """;
    try (Victim victim = Victim.start(source)) {
      for (int i = 0; i < 5; i++) {
        try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
          assertThat(tree.root().threads()).hasSize(4);
        }
        assertThat(Deadline.inMillis(20_000).await(() -> asleep(victim.pid()))).isTrue();
      }
      victim.write("go");
      victim.awaitOutput("done");
      assertThat(victim.output()).contains("events 1 \n", "signal 10 \n", "semaphore 0 \n");
    }
  }

  /** Whether all threads are back in their calls; the main one sleeps in short naps. */
  private static boolean asleep(int pid) {
    try (RawReader reader = new RawReader()) {
      return reader.numbers("/proc/" + pid + "/task").stream()
          .filter(tid -> tid != pid)
          .allMatch(tid -> ProcessWalk.state(reader.text("/proc/" + pid + "/task/" + tid + "/status")) == 'S');
    }
  }

  @Test
  void aZombieBelongsToTheTree() {
    String source =
        """
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
          if (fork() == 0) _exit(3);
          usleep(50000); puts("ready"); fflush(stdout);
          for (;;) pause();
        }
        """;
    try (Victim victim = Victim.start(source);
        FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
      assertThat(tree.processes()).hasSize(2);
      assertThat(tree.processes().get(1).zombie()).isTrue();
      assertThat(tree.root().zombie()).isFalse();
    }
  }

  @Test
  void aFrozenTreeCanBeKilled() {
    try (Victim victim = Victim.start(THREADING);
        FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), BOUND)) {
      tree.kill();
      // It is our own child, so waiting for the tracee has collected it as well.
      assertThat(Victim.status(victim.pid(), "State")).isEqualTo("gone");
      tree.thaw();
    }
  }

  @Test
  void aProcessThatSomebodyElseTracesIsRefusedByName() {
    TracerThread other = TracerThread.start();
    try (Victim victim = Victim.shell("echo ready; sleep 1000");
        FrozenTree tree = FrozenTree.freeze(other, victim.pid(), BOUND)) {
      assertThat(tree.processes()).isNotEmpty();
      assertThatThrownBy(() -> FrozenTree.freeze(tracer, victim.pid(), Duration.ofMillis(200)))
          .isInstanceOf(PageliftException.class)
          .hasMessageContaining(String.valueOf(victim.pid()));
    } finally {
      other.close();
    }
  }

  @Test
  void aProcessThatIsGoneIsRefused() {
    int pid = Spawn.posixSpawn("/bin/true", List.of("true"), SpawnActions.quiet());
    Spawn.waitFor(pid, 0);
    assertThatThrownBy(() -> FrozenTree.freeze(tracer, pid, BOUND)).hasMessageContaining("does not exist");
  }

  private static List<Integer> walk(int pid) {
    try (RawReader reader = new RawReader()) {
      return ProcessWalk.pids(reader, pid);
    }
  }

  private static void assertAllStopped(int rootPid) {
    try (RawReader reader = new RawReader()) {
      for (int pid : ProcessWalk.pids(reader, rootPid)) {
        for (int tid : reader.numbers("/proc/" + pid + "/task")) {
          char state = ProcessWalk.state(reader.text("/proc/" + pid + "/task/" + tid + "/status"));
          assertThat(state).as("thread %d of process %d", tid, pid).isIn('t', 'Z', 'X');
        }
      }
    }
  }
}
