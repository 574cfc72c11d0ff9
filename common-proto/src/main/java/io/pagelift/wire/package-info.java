/**
 * The wire between dumper, restorer and page-server: frames, their codec and the client.
 *
 * <p>docs/wire.md tells frames, order and bounds. Others use {@link io.pagelift.wire.PageServerClient} and the sessions that it opens;
 * only the page-server's own sessions use the codec.
 */
@NullMarked
package io.pagelift.wire;

import org.jspecify.annotations.NullMarked;
