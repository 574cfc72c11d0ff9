package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.SignalFd;

/** Signals as a file, signalfd(2). What is pending belongs to the processes and threads, not to the file. */
final class SignalFdCollector implements FileCollector {
  @Override
  public String kind() {
    return "signalfd";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[signalfd]");
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    return SignalFd.newBuilder().setMask(file.facts().info().number("sigmask", 16, 0)).build();
  }
}
