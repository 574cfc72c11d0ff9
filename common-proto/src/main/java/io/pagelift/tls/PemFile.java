package io.pagelift.tls;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;

/** Reads certificates, keys and revocation lists. What is wrong with a file is said with its name. */
public final class PemFile {
  /** A list of a million revoked certificates has about 40 MB. */
  private static final long MAX_BYTES = 64L << 20;

  private static final Set<PosixFilePermission> OTHERS =
      Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

  private PemFile() {}

  /** All certificates of a file, at least one. */
  public static List<X509Certificate> certificates(Path file) {
    byte[] bytes = read(file);
    try {
      List<X509Certificate> certificates =
          CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes)).stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (certificates.isEmpty()) {
        throw unusable(file, "there is no certificate in it", null);
      }
      return certificates;
    } catch (GeneralSecurityException e) {
      throw unusable(file, "it is not a certificate in PEM", e);
    }
  }

  /** All revocation lists of a file, at least one. */
  static Collection<X509CRL> revocationLists(Path file) {
    byte[] bytes = read(file);
    try {
      List<X509CRL> lists =
          CertificateFactory.getInstance("X.509").generateCRLs(new ByteArrayInputStream(bytes)).stream().map(X509CRL.class::cast).toList();
      if (lists.isEmpty()) {
        throw unusable(file, "there is no revocation list in it", null);
      }
      return lists;
    } catch (GeneralSecurityException e) {
      throw unusable(file, "it is not a revocation list in PEM", e);
    }
  }

  /** An unencrypted private key, from a file that nobody but its owner can read. */
  public static PrivateKey privateKey(Path file) {
    byte[] bytes = read(file);
    try (PEMParser parser = new PEMParser(new StringReader(new String(bytes, StandardCharsets.ISO_8859_1)))) {
      if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
        throw unusable(file, "others than its owner may read or write this private key; make it 0600", null);
      }
      Object first = parser.readObject();
      PrivateKeyInfo key = first instanceof PEMKeyPair pair ? pair.getPrivateKeyInfo() : first instanceof PrivateKeyInfo info ? info : null;
      if (key == null) {
        throw unusable(file, "there is no unencrypted private key in PEM at its start", null);
      }
      // The JDK's own kinds of key, whatever other providers are there.
      return KeyFactory.getInstance(kind(file, key)).generatePrivate(new PKCS8EncodedKeySpec(key.getEncoded()));
    } catch (IOException | GeneralSecurityException e) {
      throw unusable(file, "it is not a private key in PEM", e);
    }
  }

  private static String kind(Path file, PrivateKeyInfo key) {
    ASN1ObjectIdentifier kind = key.getPrivateKeyAlgorithm().getAlgorithm();
    if (kind.equals(X9ObjectIdentifiers.id_ecPublicKey)) {
      return "EC";
    }
    if (kind.equals(PKCSObjectIdentifiers.rsaEncryption)) {
      return "RSA";
    }
    throw unusable(file, "its private key is neither EC nor RSA", null);
  }

  private static byte[] read(Path file) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw unusable(file, "it has more than " + (MAX_BYTES >> 20) + " MiB", null);
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw unusable(file, "it does not exist; 'page-server keygen' makes all files", e);
    } catch (IOException e) {
      throw unusable(file, String.valueOf(e.getMessage()), e);
    }
  }

  private static PageliftException unusable(Path file, String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new PageliftException(ErrorCategory.USAGE, "TLS cannot use " + file + ": " + why, cause);
  }
}
