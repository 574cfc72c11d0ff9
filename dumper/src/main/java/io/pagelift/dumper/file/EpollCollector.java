package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.image.Epoll;
import io.pagelift.image.EpollTarget;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Event polls, epoll(7).
 *
 * <p>fdinfo names each target by the number under which it was added, in whatever process added it; that number may be closed
 * or mean another file by now. Which open file it really is, only kcmp(2) with KCMP_EPOLL_TFD tells.
 */
final class EpollCollector implements FileCollector {
  @Override
  public String kind() {
    return "epoll";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.link().equals("anon_inode:[eventpoll]");
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    Epoll.Builder epoll = Epoll.newBuilder();
    Map<Integer, Integer> seen = new HashMap<>();
    for (FdInfo.Line line : file.facts().info().lines()) {
      if (line.name().equals("tfd")) {
        Target target = Target.parse(line.value());
        // The same number may be there several times, for files that were closed since: the kernel counts them.
        int offset = seen.merge(target.fd, 1, Integer::sum) - 1;
        OpenFileDraft open = files.epollTarget(file, target.fd, offset);
        if (open == null) {
          DescriptorFacts facts = file.facts();
          files.refuse(
              facts.pid(),
              facts.object(),
              "it watches a file (added as fd " + target.fd + ") that no descriptor of the tree refers to any more",
              "remove it from the event poll before the dump");
        } else {
          file.needs().add(open.id());
          epoll.addTargets(
              EpollTarget.newBuilder()
                  .setFd(target.fd)
                  .setEvents(target.events)
                  .setData(target.data)
                  .setOpenFileId(open.id()));
        }
      }
    }
    file.raw(epoll.build());
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    @Nullable Object raw = file.raw();
    return raw instanceof Epoll epoll ? epoll : Epoll.getDefaultInstance();
  }

  /** {@code tfd: 5 events: 19 data: 5 pos:0 ino:61af sdev:7}: the number in decimal, the rest in hexadecimal. */
  private record Target(int fd, int events, long data) {
    static Target parse(String value) {
      String[] words = value.trim().split("[\\s:]+", -1);
      return new Target(
          Integer.parseInt(words[0]),
          Integer.parseUnsignedInt(words[2], 16),
          Long.parseUnsignedLong(words[4], 16));
    }
  }
}
