/** Tracing threads with ptrace(2): attaching, stops, registers, signal state. No policy on what to freeze or why. */
@NullMarked
package io.pagelift.linux.ptrace;

import org.jspecify.annotations.NullMarked;
