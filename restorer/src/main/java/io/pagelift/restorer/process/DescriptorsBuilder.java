package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.FD_CLOEXEC;
import static io.pagelift.linux.Constants.F_SETFD;
import static io.pagelift.linux.Constants.O_CLOEXEC;

import io.pagelift.image.Descriptor;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessImage;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.file.DescriptorTable;
import io.pagelift.restorer.remote.RemoteCalls;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Gives processes their descriptors: copies of the restorer's, under the image's numbers. */
final class DescriptorsBuilder {
  private final OpenFiles files;
  private final int highestBorrowed;
  private final Set<Integer> finished = new HashSet<>();

  DescriptorsBuilder(OpenFiles files) {
    this.files = files;
    highestBorrowed =
        files.openFiles().stream().mapToInt(file -> files.rebuilder(file).highestNumber(file)).max().orElse(-1);
  }

  /** Gives a process without descriptors all of its own. */
  void build(ProcessImage process, RemoteCalls calls) {
    List<Descriptor> wanted = new ArrayList<>(process.getDescriptorsList());
    if (wanted.isEmpty()) {
      return;
    }
    wanted.sort(Comparator.comparingInt(Descriptor::getFd));
    Map<Integer, Integer> numbers = files.numbers();
    int restorer = Math.max(wanted.get(wanted.size() - 1).getFd(), highestBorrowed) + 1;
    calls.addExpecting("open the restorer", 0, SyscallNumbers.PIDFD_OPEN, Kernel.pid(), 0);
    calls.addExpecting("move it up", restorer, SyscallNumbers.DUP3, 0, restorer, O_CLOEXEC);
    calls.add("close its first number", SyscallNumbers.CLOSE, 0);
    List<DescriptorPlacement.Wanted> places = new ArrayList<>();
    Map<Integer, Integer> openFileIds = new HashMap<>();
    for (Descriptor descriptor : wanted) {
      openFileIds.put(descriptor.getFd(), descriptor.getOpenFileId());
      places.add(new DescriptorPlacement.Wanted(descriptor.getFd(), numbers.get(descriptor.getOpenFileId())));
    }
    DescriptorPlacement.of(places).forEach(move -> place(calls, restorer, move));
    finishInside(wanted, new DescriptorTable(openFileIds, numbers, restorer), calls);
    for (Descriptor descriptor : wanted) {
      long flag = descriptor.getCloseOnExec() ? FD_CLOEXEC : 0;
      calls.add("set close-on-exec of fd " + descriptor.getFd(), SyscallNumbers.FCNTL, descriptor.getFd(), F_SETFD, flag);
    }
    calls.add("close the restorer", SyscallNumbers.CLOSE, restorer);
    calls.flush();
  }

  private static void place(RemoteCalls calls, int restorer, DescriptorPlacement.Move move) {
    calls.addExpecting(
        "fetch fd " + move.number(),
        move.fetchedNumber(),
        SyscallNumbers.PIDFD_GETFD,
        restorer,
        move.sourceNumber(),
        0);
    if (!move.inPlace()) {
      calls.add("place fd " + move.number(), SyscallNumbers.DUP3, move.fetchedNumber(), move.number(), 0);
      calls.add("close its first number", SyscallNumbers.CLOSE, move.fetchedNumber());
    }
  }

  /** In the order in which the files of the image come, because one epoll may watch another. */
  private void finishInside(List<Descriptor> descriptors, DescriptorTable table, RemoteCalls calls) {
    Map<Integer, Integer> firstNumber = new HashMap<>();
    descriptors.forEach(descriptor -> firstNumber.putIfAbsent(descriptor.getOpenFileId(), descriptor.getFd()));
    for (OpenFile file : files.openFiles()) {
      Integer number = firstNumber.get(file.getId());
      if (number != null && finished.add(file.getId())) {
        files.rebuilder(file).finishInside(file, number, table, calls);
      }
    }
  }
}
