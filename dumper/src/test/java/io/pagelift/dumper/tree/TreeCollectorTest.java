package io.pagelift.dumper.tree;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import io.pagelift.dumper.testing.Collected;
import io.pagelift.dumper.testing.Victim;
import org.junit.jupiter.api.Test;

class TreeCollectorTest {
  @Test
  void aShellAndItsChildAreCollected() {
    try (Victim victim = Victim.shell("echo ready; while :; do sleep 1000; done")) {
      for (int i = 0; i < 10; i++) {
        Collected collected = Collected.from(victim);
        System.err.println(collected.frozenMicros() + " us");
        if (i == 9) System.err.println(TextFormat.printer().printToString(collected.image()));
      }
      assertThat(Victim.status(victim.pid(), "TracerPid")).isEqualTo("0");
    }
  }
}
