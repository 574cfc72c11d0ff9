package io.pagelift.dumper.tree;

/** Gives out the ids under which pages are stored: the same key gets the same id in every round of a migration. */
public interface ObjectIds {
  /** The id of the address space of {@code pid}. */
  long addressSpace(int pid);

  /** The id of a shared memory object: anonymous shared memory, memfd, tmpfs file, System V segment. */
  long sharedMemory(SharedKey key);

  /** The id under which the contents of an unlinked regular file travel. */
  long fileContents(SharedKey key);
}
