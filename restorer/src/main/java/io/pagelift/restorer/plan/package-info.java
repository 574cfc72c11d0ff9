/** What is decided before anything is created: checks of the image, the order of creation, addresses and numbers. */
@NullMarked
package io.pagelift.restorer.plan;

import org.jspecify.annotations.NullMarked;
