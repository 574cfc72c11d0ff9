package io.pagelift.dumper.tree;

/**
 * What the caller allows and knows.
 *
 * @param shellJob the session or process group of the root may lie outside of the tree
 * @param linkRemap files that lost the name under which they were opened, but have another, may get a temporary one
 * @param ghostLimitBytes up to how many bytes on disk the contents of one unlinked file may travel with the image
 * @param dropKeyrings keys of the tree's own may be left behind
 * @param software name and version of this program, for the image
 */
public record CollectOptions(boolean shellJob, boolean linkRemap, long ghostLimitBytes, boolean dropKeyrings, String software) {
  /** The limit that users of CRIU know: 1 MiB. */
  public static final long DEFAULT_GHOST_LIMIT_BYTES = 1L << 20;

  /** Options with which nothing special is allowed. */
  public static CollectOptions plain(String software) {
    return new CollectOptions(false, false, DEFAULT_GHOST_LIMIT_BYTES, false, software);
  }

  /** The same, for a tree that may belong to a shell outside, or not. */
  public CollectOptions withShellJob(boolean allowed) {
    return new CollectOptions(allowed, linkRemap, ghostLimitBytes, dropKeyrings, software);
  }
}
