package io.pagelift.restorer.plan;

/** One step of creating the processes of a tree, before anything is built inside them. */
public sealed interface CreationStep {
  /** The process that the step is about. */
  int pid();

  /**
   * A new process.
   *
   * @param creator the process that makes it; 0: the seed, which makes the root its own sibling
   * @param sibling made with {@code CLONE_PARENT}: a child of its creator's parent
   * @param temporary not in the image; stands in for a group leader that is gone, and is ended by {@link End}
   */
  record Create(int pid, int creator, boolean sibling, boolean temporary) implements CreationStep {}

  /** The process becomes the leader of a new session and a new group. */
  record NewSession(int pid) implements CreationStep {}

  /** The process joins a group of its session, or founds one if the group's number is its own. */
  record JoinGroup(int pid, int group) implements CreationStep {}

  /** A temporary process exits and is reaped by its creator. */
  record End(int pid, int creator) implements CreationStep {}
}
