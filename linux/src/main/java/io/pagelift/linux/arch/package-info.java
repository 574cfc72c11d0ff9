/** The one seam behind which everything that depends on the processor lives. */
@NullMarked
package io.pagelift.linux.arch;

import org.jspecify.annotations.NullMarked;
