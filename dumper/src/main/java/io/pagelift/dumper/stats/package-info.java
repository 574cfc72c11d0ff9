/** What a command did, in figures: one JSON file for programs, one table line per round for people. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.stats;
