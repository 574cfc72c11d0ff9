package io.pagelift.tests.victim;

import java.util.List;
import java.util.stream.Stream;

/** A victim program, the options that it is started with, the options that it is dumped with. */
record VictimCase(String program, List<String> optionList, List<String> dumpOptionList) {
  /** What is carried. */
  static Stream<VictimCase> all() {
    return Stream.of(
        of("counter", "16", "4"),
        of("threads"),
        of("registers"),
        of("signals"),
        of("timers"),
        of("sleeps"),
        of("tree"),
        of("sharedmem", "sysv"),
        of("sysv"),
        of("memfds"),
        of("sharedmoves"),
        of("pipeloops"),
        of("overruns"),
        of("unlinkedmaps"),
        of("mappings", "locked"),
        of("mappings", "user"),
        of("filemaps"),
        of("layout"),
        of("files"),
        of("ghosts"),
        of("ghosts", "limit").dumpedWith("--ghost-limit", "8M", "--no-ghost-fiemap"),
        of("places"),
        of("places", "chroot"),
        of("places", "linkremap").dumpedWith("--link-remap"),
        of("procfiles"),
        of("watches"),
        of("watches", "linkremap").dumpedWith("--link-remap"),
        of("watches", "busy"),
        of("bpfmaps"),
        of("fdnumbers"),
        of("epolls"),
        of("pipes", "fifo"),
        of("pipes", "packets"),
        of("fifos"),
        of("events"),
        of("events", "twin"),
        of("credentials"),
        of("credentials", "user"),
        of("rseq"),
        of("churner", "7"));
  }

  /** What is refused by name. */
  static Stream<VictimCase> refused() {
    return Stream.of(
        of("places", "linkremap"),
        of("ghosts", "limit"),
        of("watches", "pending"),
        of("refused", "socket"),
        of("refused", "ldt"),
        of("refused", "keyring"),
        of("refused", "landlock"),
        of("refused", "semaphores"),
        of("refused", "queue"));
  }

  private static VictimCase of(String program, String... options) {
    return new VictimCase(program, List.of(options), List.of());
  }

  private VictimCase dumpedWith(String... options) {
    return new VictimCase(program, optionList, List.of(options));
  }

  String[] dumpOptions() {
    return dumpOptionList.toArray(String[]::new);
  }

  String[] options() {
    return optionList.toArray(String[]::new);
  }

  @Override
  public String toString() {
    return optionList.isEmpty() ? program : program + " " + String.join(" ", optionList);
  }
}
