package io.pagelift.linux;

import java.util.ArrayList;
import java.util.List;

/**
 * What a spawned process does between fork and exec: an immutable list, in order.
 *
 * <p>Descriptors of this process are close-on-exec; only what is named here is open in the child, besides 0, 1 and 2.
 */
public final class SpawnActions {
  private static final SpawnActions NONE = new SpawnActions(List.of(), false, false);

  private final List<Step> steps;
  private final boolean newSession;
  private final boolean newProcessGroup;

  private SpawnActions(List<Step> steps, boolean newSession, boolean newProcessGroup) {
    this.steps = List.copyOf(steps);
    this.newSession = newSession;
    this.newProcessGroup = newProcessGroup;
  }

  enum Kind {
    DUP,
    CLOSE,
    OPEN,
    CHANGE_DIRECTORY,
    CLOSE_FROM
  }

  record Step(Kind kind, int from, int to, String path, int flags) {}

  /** Nothing. */
  public static SpawnActions none() {
    return NONE;
  }

  /** A child with its three standard descriptors on /dev/null. */
  public static SpawnActions quiet() {
    return NONE.open(0, "/dev/null", Constants.O_RDONLY).open(1, "/dev/null", Constants.O_WRONLY).dup(1, 2);
  }

  private SpawnActions with(Step step) {
    List<Step> more = new ArrayList<>(steps);
    more.add(step);
    return new SpawnActions(more, newSession, newProcessGroup);
  }

  /** {@code dup2}; with both the same, the descriptor just stays open. */
  public SpawnActions dup(int from, int to) {
    return with(new Step(Kind.DUP, from, to, "", 0));
  }

  /** Closes one descriptor. */
  public SpawnActions close(int number) {
    return with(new Step(Kind.CLOSE, number, 0, "", 0));
  }

  /** Closes all descriptors from this one on; glibc 2.34. */
  public SpawnActions closeFrom(int lowest) {
    return with(new Step(Kind.CLOSE_FROM, lowest, 0, "", 0));
  }

  /** Opens a file under the given number, with mode 0600 if it makes it. */
  public SpawnActions open(int number, String path, int flags) {
    return with(new Step(Kind.OPEN, number, 0, path, flags));
  }

  /** Changes the working directory; glibc 2.29. */
  public SpawnActions changeDirectory(String path) {
    return with(new Step(Kind.CHANGE_DIRECTORY, 0, 0, path, 0));
  }

  /** Starts the child in a session of its own. */
  public SpawnActions inNewSession() {
    return new SpawnActions(steps, true, newProcessGroup);
  }

  /** Starts the child in a process group of its own. */
  public SpawnActions inNewProcessGroup() {
    return new SpawnActions(steps, newSession, true);
  }

  List<Step> steps() {
    return steps;
  }

  boolean newSession() {
    return newSession;
  }

  boolean newProcessGroup() {
    return newProcessGroup;
  }
}
