/** Stopping a whole process tree and letting it go again. All ptrace calls are made on one {@code TracerThread}. */
package io.pagelift.dumper.freeze;
