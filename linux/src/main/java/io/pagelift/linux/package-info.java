/**
 * The Linux kernel as Java sees it: system calls, descriptors, memory of other processes, {@code /proc}.
 *
 * <p>No policy and no networking live here. Failures are {@link io.pagelift.linux.KernelException}; calls for which a failure is
 * an ordinary answer return a negative error number instead and say so.
 */
@NullMarked
package io.pagelift.linux;

import org.jspecify.annotations.NullMarked;
