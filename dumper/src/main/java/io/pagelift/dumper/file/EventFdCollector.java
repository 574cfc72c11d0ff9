package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.image.EventFd;

/** Event counters, eventfd(2). The count is in fdinfo, in hexadecimal. */
final class EventFdCollector implements FileCollector {
  @Override
  public String kind() {
    return "eventfd";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[eventfd]");
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    FdInfo info = file.facts().info();
    return EventFd.newBuilder()
        .setCount(info.number("eventfd-count", 16, 0))
        .setSemaphore(info.number("eventfd-semaphore", 10, 0) != 0)
        .build();
  }
}
