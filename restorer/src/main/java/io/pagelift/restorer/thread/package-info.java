/** Threads: registers, credentials, scheduling and everything else that one thread has for itself. */
@NullMarked
package io.pagelift.restorer.thread;

import org.jspecify.annotations.NullMarked;
