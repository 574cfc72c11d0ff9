package io.pagelift.dumper.file;

import io.pagelift.dumper.tree.SharedKey;

/** What a file's state may refer to outside of itself. */
public interface FileReferences {
  /** The image's id of a shared memory object that was found in the freeze. */
  int sharedMemoryId(SharedKey key);

  /** The image's id of a file without a name; 0 for one that has its name. */
  int ghostId(SharedKey key);
}
