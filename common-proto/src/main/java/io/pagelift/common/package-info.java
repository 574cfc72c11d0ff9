/** What all three programs share: errors and exit codes, the command line, logging, addresses, runs of pages. */
@NullMarked
package io.pagelift.common;

import org.jspecify.annotations.NullMarked;
