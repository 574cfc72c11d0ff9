package io.pagelift.linux;

/**
 * Makes the way to native code ready beside other work. jnr-ffi takes a tenth of a second for it, which a program can spend on its
 * command line meanwhile.
 */
public final class KernelWarmUp {
  private KernelWarmUp() {}

  /** Begins in a thread of its own and returns at once. If it fails, the first real call tells. */
  public static void begin() {
    // Naming the class Kernel here, outside of the thread, would already initialise it.
    Thread thread = new Thread(() -> Kernel.pid(), "kernel-warm-up");
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((failed, failure) -> {});
    thread.start();
  }
}
