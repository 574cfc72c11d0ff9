package io.pagelift.linux.inject;

/**
 * A temporary read-write mapping in a living target, for arguments and results of injected calls. It belongs to the
 * {@link LivingInjection} that made it and goes with it.
 *
 * @param address its first byte in the target
 * @param lengthBytes whole pages
 */
public record WorkArea(long address, long lengthBytes) {}
