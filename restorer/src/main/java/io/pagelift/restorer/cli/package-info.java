/** The command line of the restorer: parses and prints, holds no logic. */
@NullMarked
package io.pagelift.restorer.cli;

import org.jspecify.annotations.NullMarked;
