package io.pagelift.common;

/**
 * Places where a test may end or stop the program, to see what the others make of it. Named by the system property {@code
 * pagelift.fault}, as {@code NAME=kill}, {@code NAME=stop} or {@code NAME=fail}; without it they do nothing.
 */
public final class FaultPoint {
  private static final int KILLED_STATUS = 137;

  private FaultPoint() {}

  /** Ends the program on the spot, without any clean-up, when the property names this place; or sleeps for ever. */
  public static void reach(String name) {
    String wanted = System.getProperty("pagelift.fault", "");
    if (wanted.equals(name + "=kill")) {
      Runtime.getRuntime().halt(KILLED_STATUS);
    }
    if (wanted.equals(name + "=fail")) {
      throw new IllegalStateException("a failure that was asked for at " + name);
    }
    if (wanted.equals(name + "=stop")) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
