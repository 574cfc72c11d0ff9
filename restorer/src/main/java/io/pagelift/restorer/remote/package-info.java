/** Calls made inside the processes that are being rebuilt. */
@NullMarked
package io.pagelift.restorer.remote;

import org.jspecify.annotations.NullMarked;
