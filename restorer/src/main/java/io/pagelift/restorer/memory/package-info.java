/** Address spaces: mappings, their pages, shared memory objects. */
@NullMarked
package io.pagelift.restorer.memory;

import org.jspecify.annotations.NullMarked;
