/** The commands of {@code dumper}: they parse and print, and hold no logic. */
@org.jspecify.annotations.NullMarked
package io.pagelift.dumper.cli;
