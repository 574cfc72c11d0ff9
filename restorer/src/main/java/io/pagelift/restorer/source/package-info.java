/** Where an image and its pages come from: a store directory or a page-server. */
@NullMarked
package io.pagelift.restorer.source;

import org.jspecify.annotations.NullMarked;
