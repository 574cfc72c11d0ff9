/** Processes: creation, signals, timers, descriptors, limits, and the release of the finished tree. */
@NullMarked
package io.pagelift.restorer.process;

import org.jspecify.annotations.NullMarked;
