/** Starts the programs as a user would, victims for them to move, and always ends by pid what it started. */
@NullMarked
package io.pagelift.tests.harness;

import org.jspecify.annotations.NullMarked;
