/** What belongs to one process: mappings, layout, signals, timers, limits, places in the file system, switches. */
package io.pagelift.dumper.process;
