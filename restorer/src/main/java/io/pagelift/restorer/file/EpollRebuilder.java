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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * epoll(7). The kernel keys a target by the number under which it was added, so the targets are added inside a process that
 * has the epoll. A target whose number there means something else by now (it was closed or moved, and lives on through a copy)
 * is put under its old number for a moment.
 */
final class EpollRebuilder implements FileRebuilder {
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_MOD = 3;
  private static final int EPOLLIN = 1;
  private static final int EPOLLOUT = 4;
  private static final int EPOLLONESHOT = 1 << 30;
  /** EPOLLWAKEUP, EPOLLONESHOT, EPOLLET, EPOLLEXCLUSIVE: EP_PRIVATE_BITS of fs/eventpoll.c. */
  private static final int PRIVATE_BITS = 1 << 29 | EPOLLONESHOT | 1 << 31 | 1 << 28;

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
  public List<Integer> borrowedNumbers(OpenFile file) {
    return Reopen.state(file, Epoll.parser()).getTargetsList().stream().map(EpollTarget::getFd).toList();
  }

  @Override
  public void finishInside(OpenFile file, int fd, DescriptorTable descriptors, RemoteCalls calls) {
    List<EpollTarget> targets = new ArrayList<>(Reopen.state(file, Epoll.parser()).getTargetsList());
    // While they are the only ones that can be reported.
    targets.sort(Comparator.comparing(target -> !disarmed(target)));
    for (EpollTarget target : targets) {
      if (descriptors.has(target.getFd(), target.getOpenFileId())) {
        add(fd, target, calls);
      } else {
        addBorrowed(fd, target, descriptors, calls);
      }
    }
  }

  /** A target that was reported once and is silent until it is armed again: EPOLLONESHOT of epoll_ctl(2). */
  private static boolean disarmed(EpollTarget target) {
    return (target.getEvents() & EPOLLONESHOT) != 0 && (target.getEvents() & ~PRIVATE_BITS) == 0;
  }

  private static void add(int fd, EpollTarget target, RemoteCalls calls) {
    if (disarmed(target)) {
      // The kernel arms what it adds. Only a report disarms it again: it gets one now if there is anything to report.
      control(EPOLL_CTL_ADD, fd, target, target.getEvents() | EPOLLIN | EPOLLOUT, calls);
      long event = calls.data(new byte[EVENT_BYTES]);
      if (calls.attempt(SyscallNumbers.EPOLL_WAIT, fd, event, 1, 0) != 1) {
        // Not ready: it stays armed, but for errors and hang-ups only.
        control(EPOLL_CTL_MOD, fd, target, target.getEvents(), calls);
      }
    } else {
      control(EPOLL_CTL_ADD, fd, target, target.getEvents(), calls);
    }
  }

  private static void control(int operation, int fd, EpollTarget target, int events, RemoteCalls calls) {
    // struct epoll_event is packed on x86-64: no gap between events and data.
    byte[] event =
        ByteBuffer.allocate(EVENT_BYTES)
            .order(ByteOrder.nativeOrder())
            .putInt(events)
            .putLong(target.getData())
            .array();
    calls.add(
        "add fd " + target.getFd() + " to epoll " + fd,
        SyscallNumbers.EPOLL_CTL,
        fd,
        operation,
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
