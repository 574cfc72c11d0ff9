/** The TLS options that the three commands share. */
@NullMarked
package io.pagelift.tls.cli;

import org.jspecify.annotations.NullMarked;
