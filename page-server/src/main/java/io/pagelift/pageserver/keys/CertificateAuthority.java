package io.pagelift.pageserver.keys;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.Grants;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Signs certificates and revocation lists. Keys are P-256: every engine has them, and they are quick. */
final class CertificateAuthority {
  private static final String SIGNATURE = "SHA256withECDSA";
  private static final Duration LIFETIME = Duration.ofDays(3650);

  /** Clocks of the hosts of one network differ by less. */
  private static final Duration CLOCK_DIFFERENCE = Duration.ofHours(1);

  private static final int SERIAL_BITS = 127;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Issued own;

  CertificateAuthority(Issued own) {
    this.own = own;
  }

  X509Certificate certificate() {
    return own.certificate();
  }

  /** A new authority. */
  static CertificateAuthority create() {
    return make(
        () -> {
          KeyPair pair = newKey();
          X500Name name = name("Pagelift authority " + Long.toHexString(RANDOM.nextLong()));
          X509v3CertificateBuilder builder = builder(name, name, pair, LIFETIME);
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
          return new CertificateAuthority(sign(builder, pair, pair));
        });
  }

  /** A certificate for a page-server that is reached under these names and addresses. */
  Issued server(List<String> hosts, Duration lifetime) {
    GeneralName[] names =
        hosts.stream()
            .map(host -> new GeneralName(isAddress(host) ? GeneralName.iPAddress : GeneralName.dNSName, host))
            .toArray(GeneralName[]::new);
    return leaf(hosts.get(0), names, KeyPurposeId.id_kp_serverAuth, lifetime);
  }

  /** A certificate for a dumper or restorer. */
  Issued client(String name, Grants grants, Duration lifetime) {
    GeneralName[] names =
        grants.grants().stream()
            .map(grant -> new GeneralName(GeneralName.uniformResourceIdentifier, grant.uri()))
            .toArray(GeneralName[]::new);
    return leaf(name, names, KeyPurposeId.id_kp_clientAuth, lifetime);
  }

  private static boolean isAddress(String host) {
    return host.indexOf(':') >= 0 || host.matches("[0-9.]+");
  }

  private Issued leaf(String name, GeneralName[] names, KeyPurposeId purpose, Duration lifetime) {
    return make(
        () -> {
          KeyPair pair = newKey();
          X509v3CertificateBuilder builder =
              builder(X500Name.getInstance(own.certificate().getSubjectX500Principal().getEncoded()), name(name), pair, lifetime);
          JcaX509ExtensionUtils ids = new JcaX509ExtensionUtils();
          builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
          builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
          builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(purpose));
          builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
          builder.addExtension(Extension.authorityKeyIdentifier, false, ids.createAuthorityKeyIdentifier(own.certificate()));
          return sign(builder, pair, new KeyPair(own.certificate().getPublicKey(), own.key()));
        });
  }

  /**
   * A revocation list.
   *
   * @param before the list before; null for the first one
   * @param serials what is revoked from now on
   */
  X509CRL revocationList(@org.jspecify.annotations.Nullable X509CRL before, List<BigInteger> serials) {
    return make(
        () -> {
          Instant started = Instant.now();
          Date now = Date.from(started);
          JcaX509v2CRLBuilder builder = new JcaX509v2CRLBuilder(own.certificate().getSubjectX500Principal(), now);
          builder.setNextUpdate(own.certificate().getNotAfter());
          List<BigInteger> fresh = new ArrayList<>(serials);
          if (before != null && before.getRevokedCertificates() != null) {
            for (X509CRLEntry entry : before.getRevokedCertificates()) {
              fresh.remove(entry.getSerialNumber());
              builder.addCRLEntry(entry.getSerialNumber(), entry.getRevocationDate(), CRLReason.unspecified);
            }
          }
          fresh.forEach(serial -> builder.addCRLEntry(serial, now, CRLReason.unspecified));
          JcaX509ExtensionUtils ids = new JcaX509ExtensionUtils();
          builder.addExtension(Extension.authorityKeyIdentifier, false, ids.createAuthorityKeyIdentifier(own.certificate()));
          builder.addExtension(Extension.cRLNumber, false, new CRLNumber(BigInteger.valueOf(started.toEpochMilli())));
          return new JcaX509CRLConverter().getCRL(builder.build(signer(own.key())));
        });
  }

  Issued issued() {
    return own;
  }

  private static X509v3CertificateBuilder builder(X500Name issuer, X500Name subject, KeyPair pair, Duration lifetime) {
    Instant now = Instant.now();
    return new JcaX509v3CertificateBuilder(
        issuer,
        new BigInteger(SERIAL_BITS, RANDOM).setBit(SERIAL_BITS - 1),
        Date.from(now.minus(CLOCK_DIFFERENCE)),
        Date.from(now.plus(lifetime)),
        subject,
        pair.getPublic());
  }

  private static X500Name name(String commonName) {
    return new X500NameBuilder(BCStyle.INSTANCE).addRDN(BCStyle.CN, commonName).build();
  }

  private static KeyPair newKey() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  private static ContentSigner signer(java.security.PrivateKey key) throws OperatorCreationException {
    return new JcaContentSignerBuilder(SIGNATURE).build(key);
  }

  private static Issued sign(X509v3CertificateBuilder builder, KeyPair subject, KeyPair issuer)
      throws GeneralSecurityException, OperatorCreationException {
    X509Certificate certificate = new JcaX509CertificateConverter().getCertificate(builder.build(signer(issuer.getPrivate())));
    return new Issued(certificate, subject.getPrivate());
  }

  private interface Making<T> {
    T make() throws GeneralSecurityException, OperatorCreationException, IOException;
  }

  private static <T> T make(Making<T> making) {
    try {
      return making.make();
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new PageliftException(ErrorCategory.INTERNAL, "a certificate cannot be made: " + e.getMessage(), e);
    }
  }
}
