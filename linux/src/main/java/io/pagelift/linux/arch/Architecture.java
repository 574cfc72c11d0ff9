package io.pagelift.linux.arch;

import java.util.Locale;

/**
 * Everything in Pagelift that depends on the processor: one implementation for each architecture.
 *
 * <p>System call numbers, machine code that is run inside other processes, and the layout of register sets. Code elsewhere asks
 * {@link #current()} and never tests the architecture itself.
 */
public interface Architecture {
  /** The name that {@code uname -m} gives. */
  String name();

  /**
   * The number of a system call.
   *
   * @param syscallName the kernel's name, such as {@code "process_vm_readv"}
   * @throws IllegalArgumentException if this architecture has no such call
   */
  int syscallNumber(String syscallName);

  /** The name of a system call, or {@code "syscall N"} for a number that is not known. */
  String syscallName(long number);

  /** Position-independent code that sleeps in {@code pause(2)} until the process is killed. */
  byte[] pauseForeverCode();

  /** The machine code of the stubs. */
  StubCode stubCode();

  /** The ELF {@code e_machine} value. */
  int elfMachine();

  /**
   * The architecture of the machine that this runs on.
   *
   * @throws UnsupportedOperationException on an architecture that has no implementation yet
   */
  static Architecture current() {
    return Current.ARCHITECTURE;
  }

  /** Holds the one instance; chosen when first asked for. */
  final class Current {
    private static final Architecture ARCHITECTURE = choose(System.getProperty("os.arch", ""));

    private Current() {}

    static Architecture choose(String javaName) {
      String name = javaName.toLowerCase(Locale.ROOT);
      if (name.equals("amd64") || name.equals("x86_64")) {
        return new X8664();
      }
      throw new UnsupportedOperationException(
          "Pagelift runs on x86-64 only so far; this machine says it is '" + javaName + "'");
    }
  }
}
