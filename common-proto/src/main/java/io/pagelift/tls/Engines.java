package io.pagelift.tls;

import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import javax.net.ssl.SSLEngine;

/** Makes the engines of one end. Each encrypts one connection. */
interface Engines {
  /** TLS 1.3 alone: every older version has something that must be configured away. */
  String PROTOCOL = "TLSv1.3";

  /** Key exchange, the best first: a hybrid that a future quantum computer does not open afterwards, where both ends have it. */
  List<String> GROUPS = List.of("X25519MLKEM768", "X25519", "secp256r1");

  /** What the processor has instructions for. 128 bits first: a fifth faster, and not the weakest part. */
  List<String> SUITES = List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384");

  /** The rule for names in certificates, as in RFC 9110 section 4.3.4. */
  String HOST_CHECK = "HTTPS";

  /** An engine that wants a client's certificate. */
  SSLEngine server(ByteBufAllocator allocator);

  /** An engine that wants a certificate for this host. */
  SSLEngine client(ByteBufAllocator allocator, String host, int port);
}
