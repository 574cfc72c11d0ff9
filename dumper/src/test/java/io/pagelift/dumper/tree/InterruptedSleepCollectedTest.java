package io.pagelift.dumper.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.dumper.freeze.FrozenTree;
import io.pagelift.dumper.freeze.TracerThread;
import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import io.pagelift.image.InterruptedCall;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.ptrace.Registers;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class InterruptedSleepCollectedTest {
  private static final long NANOS = 1_000_000_000L;

  private static final String SOURCE =
      """
      #define _GNU_SOURCE
      #include <linux/futex.h>
      #include <poll.h>
      #include <pthread.h>
      #include <stdio.h>
      #include <sys/syscall.h>
      #include <time.h>
      #include <unistd.h>
      static int word;
      static struct timespec hundred = { 100, 0 };
      static void *futexes(void *x) { syscall(SYS_futex, &word, FUTEX_WAIT, 0, &hundred, 0, 0); return x; }
      static void *polls(void *x) { syscall(SYS_poll, 0, 0, 100000); return x; }
      static void *sleeps(void *x) { syscall(SYS_nanosleep, &hundred, 0); return x; }
      static void *rests(void *x) { struct timespec rest; syscall(SYS_clock_nanosleep, 1, 0, &hundred, &rest); return x; }
      int main(void) {
        void *(*all[])(void *) = { futexes, polls, sleeps, rests };
        for (int i = 0; i < 4; i++) { pthread_t t; pthread_create(&t, 0, all[i], 0); }
        usleep(2000000);
        puts("ready"); fflush(stdout);
        for (;;) pause();
      }
      """;

  @Test
  void aCallWithATimeLimitIsCarriedWithWhatIsLeftOfIt() {
    try (Victim victim = Victim.start(SOURCE)) {
      List<ThreadImage> threads = Collected.from(victim).root().getThreadsList();
      // They have slept for two seconds or more; a stall of this machine may have made it many more.
      assertLeft(threads, SyscallNumbers.FUTEX, left -> left > 30 * NANOS && left < 98.5 * NANOS);
      assertLeft(threads, SyscallNumbers.POLL, left -> left > 30 * NANOS && left < 98.5 * NANOS);
      assertLeft(threads, SyscallNumbers.NANOSLEEP, left -> left > 30 * NANOS && left < 98.5 * NANOS);
      assertLeft(threads, SyscallNumbers.CLOCK_NANOSLEEP, left -> left > 30 * NANOS && left < 98.5 * NANOS);
    }
  }

  @Test
  void aCallThatAnEarlierFreezeInterruptedIsStillKnownByItsNumber() {
    TracerThread tracer = TracerThread.start();
    try (Victim victim = Victim.start(SOURCE)) {
      try (FrozenTree tree = FrozenTree.freeze(tracer, victim.pid(), Duration.ofSeconds(60))) {
        assertThat(tree.root().threads()).hasSize(5);
      }
      List<ThreadImage> threads = Collected.from(victim).root().getThreadsList();
      assertLeft(threads, SyscallNumbers.FUTEX, left -> left <= 100 * NANOS);
      assertLeft(threads, SyscallNumbers.POLL, left -> left <= 100 * NANOS);
      assertLeft(threads, SyscallNumbers.NANOSLEEP, left -> left <= 100 * NANOS);
      assertLeft(threads, SyscallNumbers.CLOCK_NANOSLEEP, left -> left < 98.5 * NANOS);
    } finally {
      tracer.close();
    }
  }

  private static void assertLeft(List<ThreadImage> threads, long number, Predicate<Long> expected) {
    ThreadImage thread =
        threads.stream()
            .filter(found -> found.hasInterruptedCall() && found.getInterruptedCall().getNumber() == number)
            .findFirst()
            .orElseThrow(() -> new AssertionError("no thread in call " + number));
    InterruptedCall call = thread.getInterruptedCall();
    assertThat(call.getHasRemaining()).isTrue();
    assertThat(call.getRemainingNanos()).as("what is left of call %d", number).matches(expected);
    assertThat(Registers.of(thread.getGeneralRegisters().toByteArray()).origRax()).isEqualTo(number);
  }
}
