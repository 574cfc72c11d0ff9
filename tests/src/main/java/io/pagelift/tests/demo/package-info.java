/** The main job, shown: {@code bin/demo}. */
@NullMarked
package io.pagelift.tests.demo;

import org.jspecify.annotations.NullMarked;
