/**
 * Mutual TLS 1.3: whose certificate is believed, what it lets its holder do, and the engines that encrypt.
 *
 * <p>Who may connect is decided by {@link io.pagelift.tls.PeerTrust} for both engines; what a client may do there by the {@link
 * io.pagelift.tls.Grants} in its certificate. docs/wire.md tells the rules.
 */
@NullMarked
package io.pagelift.tls;

import org.jspecify.annotations.NullMarked;
