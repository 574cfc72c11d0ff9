package io.pagelift.wire;

import io.pagelift.tls.TlsContext;
import org.jspecify.annotations.Nullable;

/**
 * How a client encrypts.
 *
 * @param context its own certificate, and whom it believes
 * @param host the name that the server's certificate must have; null for the one that is connected to
 */
public record ClientTls(TlsContext context, @Nullable String host) {}
