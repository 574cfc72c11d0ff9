package io.pagelift.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Who is at the other end, by the certificate that it has proved to own.
 *
 * @param name the certificate's common name; for messages, not for decisions
 * @param serial the certificate's serial number in hexadecimal
 * @param grants what its holder may do
 * @param chain the certificate itself, then those between it and the authority
 */
public record PeerIdentity(String name, String serial, Grants grants, List<X509Certificate> chain) {
  /** Type of a URI among the alternative names, as {@link X509Certificate#getSubjectAlternativeNames} counts. */
  private static final int URI_TYPE = 6;

  private static final int SHOWN_CHARS = 64;

  /** The peer of a finished handshake; throws when it showed no certificate. */
  public static PeerIdentity of(SSLSession session) throws SSLPeerUnverifiedException {
    return of(Arrays.stream(session.getPeerCertificates()).map(X509Certificate.class::cast).toList());
  }

  /** The holder of a certificate, the first one of a chain. */
  public static PeerIdentity of(List<X509Certificate> chain) {
    X509Certificate own = chain.get(0);
    return new PeerIdentity(commonName(own), own.getSerialNumber().toString(16), Grants.ofUris(uris(own)), List.copyOf(chain));
  }

  private static List<String> uris(X509Certificate certificate) {
    try {
      Collection<List<?>> names = Optional.ofNullable(certificate.getSubjectAlternativeNames()).orElse(List.of());
      return names.stream().filter(name -> Integer.valueOf(URI_TYPE).equals(name.get(0))).map(name -> String.valueOf(name.get(1))).toList();
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  private static String commonName(X509Certificate certificate) {
    String all = certificate.getSubjectX500Principal().getName();
    String shown = all;
    try {
      for (Rdn part : new LdapName(all).getRdns()) {
        shown = part.getType().equalsIgnoreCase("CN") ? String.valueOf(part.getValue()) : shown;
      }
    } catch (InvalidNameException e) {
      shown = all;
    }
    String printable = shown.replaceAll("[^\\x20-\\x7e]", "?");
    return printable.substring(0, Math.min(printable.length(), SHOWN_CHARS));
  }
}
