/**
 * An authority of one's own, and the certificates that it makes for a page-server and its clients.
 *
 * <pre>
 * DIR/ca/        ca.pem, ca-key.pem, crl.pem               stays where it is made
 * DIR/server/    cert.pem, key.pem, ca.pem, crl.pem        for page-server --tls=DIR/server
 * DIR/NAME/      cert.pem, key.pem, ca.pem                 for the client NAME: dumper --tls=DIR/NAME
 * </pre>
 */
@NullMarked
package io.pagelift.pageserver.keys;

import org.jspecify.annotations.NullMarked;
