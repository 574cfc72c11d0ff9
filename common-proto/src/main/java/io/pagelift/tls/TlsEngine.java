package io.pagelift.tls;

/** What encrypts. Both speak the same TLS 1.3 and meet each other. */
public enum TlsEngine {
  /** Bouncy Castle's JSSE provider over the JDK's AES-GCM; nothing native. */
  BOUNCYCASTLE,
  /** BoringSSL through Netty's native library. */
  OPENSSL
}
