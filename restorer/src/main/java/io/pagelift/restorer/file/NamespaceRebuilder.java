package io.pagelift.restorer.file;

import io.pagelift.image.Namespace;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import java.util.regex.Pattern;

/** Open namespaces: the tree is rebuilt in the restorer's, so these are the ones. */
final class NamespaceRebuilder implements FileRebuilder {
  private static final Pattern NAME = Pattern.compile("[a-z_]+");

  @Override
  public String kind() {
    return "namespace";
  }

  @Override
  public void check(OpenFile file) {
    FileChecks.existing(path(file));
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    return Reopen.path(path(file), file.toBuilder().setPosition(0).build());
  }

  private static String path(OpenFile file) {
    String name = Reopen.state(file, Namespace.parser()).getName();
    if (!NAME.matcher(name).matches()) {
      throw Reopen.refused("There is no namespace of the kind '" + name + "'; dump again.");
    }
    return "/proc/self/ns/" + name;
  }
}
