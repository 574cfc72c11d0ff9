package io.pagelift.pageserver.keys;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.tls.Grants;
import io.pagelift.tls.PemFile;
import io.pagelift.tls.TlsFiles;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.jspecify.annotations.Nullable;

/**
 * The files of an authority and of what it has signed. Directories are 0700, files 0600.
 *
 * <p>What exists is left as it is: the authority and the revocation list are used, a certificate that would be replaced is refused
 * before anything is written, unless replacing was asked for; then it is said, and the old certificate is revoked.
 */
public final class KeyDirectory {
  private static final String AUTHORITY = "ca";
  private static final String AUTHORITY_KEY = "ca-key.pem";
  private static final String SERVER = "server";

  private final Path root;
  private final Consumer<String> say;

  /**
   * A directory for keys; made when first needed.
   *
   * @param say told of every file that is written
   */
  public KeyDirectory(Path root, Consumer<String> say) {
    this.root = root;
    this.say = say;
  }

  /**
   * Makes what is asked for, and an authority when there is none.
   *
   * @param hosts names and addresses of a page-server; empty for no server certificate
   * @param clients name and rights of each client
   * @param revoked names of clients, or "server", whose certificates are no longer to be believed
   * @param replace certificates that exist are revoked and replaced
   */
  public void make(List<String> hosts, Map<String, Grants> clients, List<String> revoked, Duration lifetime, boolean replace) {
    List<String> names = new ArrayList<>(hosts.isEmpty() ? List.of() : List.of(SERVER));
    names.addAll(clients.keySet());
    checkFree(names, replace);
    List<BigInteger> serials = new ArrayList<>();
    revoked.forEach(name -> serials.add(serialOf(name)));
    names.stream().filter(this::exists).forEach(name -> serials.add(serialOf(name)));
    try {
      CertificateAuthority authority = authority();
      if (!hosts.isEmpty()) {
        write(SERVER, authority.server(hosts, lifetime), authority);
      }
      clients.forEach((name, grants) -> write(name, authority.client(name, grants, lifetime), authority));
      revoke(authority, serials, !hosts.isEmpty());
    } catch (IOException e) {
      throw cannotWrite(e);
    } catch (UncheckedIOException e) {
      throw cannotWrite(e.getCause());
    }
  }

  private static PageliftException cannotWrite(@Nullable IOException cause) {
    return new PageliftException(
        ErrorCategory.REFUSED, "keys cannot be written: " + (cause instanceof FileAlreadyExistsException ? "exists already: " : "")
            + (cause == null ? "" : cause.getMessage()), cause);
  }

  private boolean exists(String name) {
    return Files.exists(root.resolve(name), LinkOption.NOFOLLOW_LINKS);
  }

  private void checkFree(List<String> names, boolean replace) {
    for (String name : names) {
      if (name.equals(AUTHORITY)) {
        throw new PageliftException(ErrorCategory.USAGE, "a client cannot be called '" + AUTHORITY + "': that is the authority's directory");
      }
      if (!replace && exists(name)) {
        throw new PageliftException(
            ErrorCategory.REFUSED,
            root.resolve(name) + " exists already, and nothing was written; add --overwrite to revoke and replace that certificate");
      }
    }
  }

  private BigInteger serialOf(String name) {
    return PemFile.certificates(root.resolve(name).resolve(TlsFiles.CERTIFICATE_NAME)).get(0).getSerialNumber();
  }

  private CertificateAuthority authority() throws IOException {
    Path directory = root.resolve(AUTHORITY);
    Path certificate = directory.resolve(TlsFiles.AUTHORITY_NAME);
    Path key = directory.resolve(AUTHORITY_KEY);
    if (Files.exists(certificate)) {
      say.accept("using the authority in " + directory);
      return new CertificateAuthority(new Issued(PemFile.certificates(certificate).get(0), PemFile.privateKey(key)));
    }
    CertificateAuthority created = CertificateAuthority.create();
    makeDirectory(directory);
    put(key, keyPem(created.issued()));
    put(directory.resolve(TlsFiles.REVOKED_NAME), pem(created.revocationList(null, List.of())));
    put(certificate, pem(created.certificate()));
    return created;
  }

  private void write(String name, Issued issued, CertificateAuthority authority) {
    try {
      Path directory = root.resolve(name);
      makeDirectory(directory);
      put(directory.resolve(TlsFiles.KEY_NAME), keyPem(issued));
      put(directory.resolve(TlsFiles.CERTIFICATE_NAME), pem(issued.certificate()));
      put(directory.resolve(TlsFiles.AUTHORITY_NAME), pem(authority.certificate()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void revoke(CertificateAuthority authority, List<BigInteger> serials, boolean newServer) throws IOException {
    Path list = root.resolve(AUTHORITY).resolve(TlsFiles.REVOKED_NAME);
    X509CRL current = readList(list);
    if (!serials.isEmpty()) {
      current = authority.revocationList(current, serials);
      put(list, pem(current));
      serials.forEach(serial -> say.accept("revoked certificate " + serial.toString(16)));
    }
    Path servers = root.resolve(SERVER);
    if (newServer || (!serials.isEmpty() && Files.isDirectory(servers))) {
      put(servers.resolve(TlsFiles.REVOKED_NAME), pem(current));
      if (!newServer) {
        say.accept("copy " + servers.resolve(TlsFiles.REVOKED_NAME) + " to every page-server; it reads it when it changes");
      }
    }
  }

  private static X509CRL readList(Path file) throws IOException {
    try {
      return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(Files.readAllBytes(file)));
    } catch (GeneralSecurityException e) {
      throw new PageliftException(ErrorCategory.CORRUPT, file + " is not a revocation list: " + e.getMessage(), e);
    }
  }

  private static void makeDirectory(Path directory) throws IOException {
    var permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    Files.createDirectories(directory, permissions);
  }

  /** Written beside and renamed, so that a reader never sees half a file, nor one with other permissions. */
  private void put(Path file, String text) throws IOException {
    boolean replaced = Files.exists(file);
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    var permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (var channel = Files.newByteChannel(fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), permissions)) {
      var bytes = StandardCharsets.US_ASCII.encode(text);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    say.accept((replaced ? "overwritten " : "written ") + file);
  }

  private static String keyPem(Issued issued) throws IOException {
    return pem(new JcaPKCS8Generator(issued.key(), null));
  }

  private static String pem(Object object) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(object);
    }
    return text.toString();
  }
}
