/** A small process of its own that answers for a frozen tree when the dumper that froze it is gone. */
@NullMarked
package io.pagelift.dumper.guard;

import org.jspecify.annotations.NullMarked;
