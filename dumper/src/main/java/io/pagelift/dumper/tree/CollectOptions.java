package io.pagelift.dumper.tree;

/**
 * What the caller allows and knows.
 *
 * @param shellJob the session or process group of the root may lie outside of the tree
 * @param software name and version of this program, for the image
 */
public record CollectOptions(boolean shellJob, String software) {}
