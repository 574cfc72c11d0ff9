/** Finds the pages of a process that have to be sent, and reads them while it runs or while it is frozen. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.memory;
