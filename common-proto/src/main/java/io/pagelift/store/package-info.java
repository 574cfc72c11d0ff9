/**
 * The page store on disk: its format and its read side. The page-server writes it (io.pagelift.pageserver.store); a restorer
 * on the same host reads it directly through {@link io.pagelift.store.StoreReader}. The format is drawn in
 * docs/store-format.md.
 */
@NullMarked
package io.pagelift.store;

import org.jspecify.annotations.NullMarked;
