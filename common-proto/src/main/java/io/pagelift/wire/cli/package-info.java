/** The options of a command that is a client of a page-server. */
@NullMarked
package io.pagelift.wire.cli;

import org.jspecify.annotations.NullMarked;
