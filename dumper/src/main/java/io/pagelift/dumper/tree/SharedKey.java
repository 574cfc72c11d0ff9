package io.pagelift.dumper.tree;

/**
 * What tells one kernel object behind mappings or descriptors from another: its device (as in {@code st_dev}) and inode.
 *
 * @param device {@code st_dev}, the kernel's encoding
 * @param inode {@code st_ino}
 */
public record SharedKey(long device, long inode) {}
