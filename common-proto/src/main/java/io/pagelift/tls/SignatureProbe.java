package io.pagelift.tls;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;

/** Whether two halves of a key belong together: what one signs the other verifies. */
final class SignatureProbe {
  private static final byte[] TEXT = "pagelift".getBytes(StandardCharsets.US_ASCII);

  private SignatureProbe() {}

  static boolean matches(String algorithm, PrivateKey secret, PublicKey open) {
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(secret);
      signature.update(TEXT);
      byte[] signed = signature.sign();
      signature.initVerify(open);
      signature.update(TEXT);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
