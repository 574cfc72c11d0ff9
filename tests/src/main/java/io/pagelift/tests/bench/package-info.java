/** The benchmark table: {@code bin/bench}. */
@NullMarked
package io.pagelift.tests.bench;

import org.jspecify.annotations.NullMarked;
