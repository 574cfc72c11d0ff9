/** Generated processes of a page or two: the seed of every rebuilt process and the holder of userfaultfds. */
@NullMarked
package io.pagelift.linux.stub;

import org.jspecify.annotations.NullMarked;
