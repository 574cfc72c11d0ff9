package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.ProcessFacts;
import io.pagelift.image.Namespace;
import java.util.Map;
import java.util.regex.Pattern;

/** Open namespaces, namespaces(7): those that the tree itself is in. */
final class NamespaceCollector implements FileCollector {
  private static final Pattern LINK = Pattern.compile("[a-z_]+:\\[[0-9]+\\]");

  @Override
  public String kind() {
    return "namespace";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    String link = facts.link();
    return facts.stat().regular() && LINK.matcher(link).matches() && !link.startsWith("pipe:") && !link.startsWith("socket:");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if (name(facts, inspection).isEmpty()) {
      inspection.refuse(facts, "it is a namespace that the tree is not in", "close it before the dump");
    }
  }

  /** The name of our own namespace that it is; the tree is in the same ones, or it is refused. */
  private static String name(DescriptorFacts facts, FileInspection inspection) {
    for (Map.Entry<String, String> own : ProcessFacts.namespaces(inspection.reader(), "/proc/self/").entrySet()) {
      if (own.getValue().equals(facts.link())) {
        return own.getKey();
      }
    }
    return "";
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    file.raw(Namespace.newBuilder().setName(name(file.facts(), files.inspection())).build());
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return file.raw() instanceof Namespace state ? state : Namespace.getDefaultInstance();
  }
}
