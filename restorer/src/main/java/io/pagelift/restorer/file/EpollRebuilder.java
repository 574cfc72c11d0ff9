package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.O_CLOEXEC;

import io.pagelift.image.Epoll;
import io.pagelift.image.EpollTarget;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * epoll(7). The kernel keys a target by the number under which it was added, so the targets are added inside a process that
 * has the epoll. A target whose number there means something else by now (it was closed or moved, and lives on through a copy)
 * is put under its old number for a moment.
 */
final class EpollRebuilder implements FileRebuilder {
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EVENT_BYTES = 12;

  @Override
  public String kind() {
    return "epoll";
  }

  @Override
  public void check(OpenFile file) {
    Reopen.state(file, Epoll.parser());
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    long number = Kernel.check(Kernel.call(SyscallNumbers.EPOLL_CREATE1, O_CLOEXEC), "epoll_create1", "");
    return FileDescriptor.own((int) number, "epoll");
  }

  @Override
  public int highestNumber(OpenFile file) {
    return Reopen.state(file, Epoll.parser()).getTargetsList().stream().mapToInt(EpollTarget::getFd).max().orElse(-1);
  }

  @Override
  public void finishInside(OpenFile file, int fd, DescriptorTable descriptors, RemoteCalls calls) {
    for (EpollTarget target : Reopen.state(file, Epoll.parser()).getTargetsList()) {
      if (descriptors.has(target.getFd(), target.getOpenFileId())) {
        add(fd, target, calls);
      } else {
        addBorrowed(fd, target, descriptors, calls);
      }
    }
  }

  private static void add(int fd, EpollTarget target, RemoteCalls calls) {
    // struct epoll_event is packed on x86-64: no gap between events and data.
    byte[] event =
        ByteBuffer.allocate(EVENT_BYTES)
            .order(ByteOrder.nativeOrder())
            .putInt(target.getEvents())
            .putLong(target.getData())
            .array();
    calls.add(
        "add fd " + target.getFd() + " to epoll " + fd,
        SyscallNumbers.EPOLL_CTL,
        fd,
        EPOLL_CTL_ADD,
        target.getFd(),
        calls.data(event));
  }

  private static void addBorrowed(int fd, EpollTarget target, DescriptorTable descriptors, RemoteCalls calls) {
    Integer source = descriptors.restorerNumbers().get(target.getOpenFileId());
    if (source == null) {
      throw Reopen.refused(
          "Epoll fd " + fd + " of process " + calls.pid() + " watches a file that no process has open any more.");
    }
    int number = target.getFd();
    boolean taken = descriptors.openFileIds().containsKey(number);
    long aside = 0;
    if (taken) {
      aside = calls.call("set fd " + number + " aside", SyscallNumbers.DUP, number);
    }
    long fetched =
        calls.call("fetch a target of epoll " + fd, SyscallNumbers.PIDFD_GETFD, descriptors.restorer(), source, 0);
    if (fetched != number) {
      calls.add("place a target of epoll " + fd, SyscallNumbers.DUP3, fetched, number, 0);
      calls.add("close the fetched target", SyscallNumbers.CLOSE, fetched);
    }
    add(fd, target, calls);
    if (taken) {
      // A descriptor's close-on-exec flag does not survive this; the caller sets all flags last.
      calls.add("put fd " + number + " back", SyscallNumbers.DUP3, aside, number, 0);
      calls.add("close its copy", SyscallNumbers.CLOSE, aside);
    } else {
      calls.add("close the borrowed number", SyscallNumbers.CLOSE, number);
    }
    calls.flush();
  }
}
