package io.pagelift.dumper.refuse;

/** Takes what was found that cannot be carried over; looking goes on, so that the user sees all of it at once. */
@FunctionalInterface
public interface RefusalSink {
  /** Takes one finding. */
  void refuse(Refusal refusal);

  /** Takes one finding, made of its parts: see {@link Refusal}. */
  default void refuse(int pid, String object, String reason, String remedy) {
    refuse(new Refusal(pid, object, reason, remedy));
  }

  /** Takes one finding that may be gone in a moment. */
  default void refusePassing(int pid, String object, String reason, String remedy) {
    refuse(new Refusal(pid, object, reason, remedy, true));
  }
}
