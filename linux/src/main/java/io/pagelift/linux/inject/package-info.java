/** Running system calls inside other processes: living ones that must survive our death, and rebuilt ones that we own. */
@NullMarked
package io.pagelift.linux.inject;

import org.jspecify.annotations.NullMarked;
