/** The destination's side of a handover: which copy lives. */
@NullMarked
package io.pagelift.restorer.handover;

import org.jspecify.annotations.NullMarked;
