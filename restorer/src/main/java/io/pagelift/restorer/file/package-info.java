/** Open file descriptions: one rebuilder for each kind. */
@NullMarked
package io.pagelift.restorer.file;

import org.jspecify.annotations.NullMarked;
