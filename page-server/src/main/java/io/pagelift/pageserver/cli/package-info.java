/** The command {@code page-server}: parses and prints; the work is done by sessions and store. */
@NullMarked
package io.pagelift.pageserver.cli;

import org.jspecify.annotations.NullMarked;
