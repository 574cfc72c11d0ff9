package io.pagelift.restorer.process;

import static io.pagelift.linux.Constants.FD_CLOEXEC;
import static io.pagelift.linux.Constants.F_SETFD;
import static io.pagelift.linux.Constants.F_SETFL;
import static io.pagelift.linux.Constants.O_ASYNC;
import static io.pagelift.linux.Constants.O_CLOEXEC;
import static io.pagelift.linux.Constants.RLIMIT_NOFILE;

import io.pagelift.image.Descriptor;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessImage;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.ResourceLimit;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.file.DescriptorTable;
import io.pagelift.restorer.remote.RebuildFailure;
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
  private final Set<Integer> borrowed = new HashSet<>();
  private final Set<Integer> finished = new HashSet<>();

  DescriptorsBuilder(OpenFiles files) {
    this.files = files;
    files.openFiles().forEach(file -> borrowed.addAll(files.rebuilder(file).borrowedNumbers(file)));
  }

  /** Gives a process without descriptors all of its own. */
  void build(ProcessImage process, RemoteCalls calls) {
    List<Descriptor> wanted = new ArrayList<>(process.getDescriptorsList());
    if (wanted.isEmpty()) {
      return;
    }
    wanted.sort(Comparator.comparingInt(Descriptor::getFd));
    Map<Integer, Integer> numbers = files.numbers();
    int restorer = spareNumber(wanted, calls);
    calls.addExpecting("open the restorer", 0, SyscallNumbers.PIDFD_OPEN, Kernel.pid(), 0);
    calls.addExpecting("move it up", restorer, SyscallNumbers.DUP3, 0, restorer, O_CLOEXEC);
    calls.add("close its first number", SyscallNumbers.CLOSE, 0);
    List<DescriptorPlacement.Wanted> places = new ArrayList<>();
    Map<Integer, Integer> openFileIds = new HashMap<>();
    for (Descriptor descriptor : wanted) {
      openFileIds.put(descriptor.getFd(), descriptor.getOpenFileId());
      places.add(new DescriptorPlacement.Wanted(descriptor.getFd(), numbers.get(descriptor.getOpenFileId())));
    }
    DescriptorPlacement.of(places, restorer).forEach(move -> place(calls, restorer, move));
    finishInside(wanted, new DescriptorTable(openFileIds, numbers, restorer), calls);
    for (Descriptor descriptor : wanted) {
      long flag = descriptor.getCloseOnExec() ? FD_CLOEXEC : 0;
      calls.add("set close-on-exec of fd " + descriptor.getFd(), SyscallNumbers.FCNTL, descriptor.getFd(), F_SETFD, flag);
    }
    calls.add("close the restorer", SyscallNumbers.CLOSE, restorer);
    calls.flush();
  }

  /**
   * A number that nothing else needs, for a descriptor of the restorer. It may have to lie below the others: a program may use all
   * numbers up to its limit. What lies above the limit that it was born with, because it lowered that later, gets it raised for now.
   */
  private int spareNumber(List<Descriptor> wanted, RemoteCalls calls) {
    Set<Integer> used = new HashSet<>(borrowed);
    wanted.forEach(descriptor -> used.add(descriptor.getFd()));
    int highest = used.stream().mapToInt(Integer::intValue).max().orElse(0);
    ResourceLimit limit = ResourceLimit.get(calls.pid(), RLIMIT_NOFILE);
    if (highest + 1 < limit.soft()) {
      return highest + 1;
    }
    if (highest >= limit.soft()) {
      new ResourceLimit(highest + 1L, Math.max(highest + 1L, limit.hard())).set(calls.pid(), RLIMIT_NOFILE);
    }
    for (int number = highest - 1; number > 0; number--) {
      if (!used.contains(number)) {
        return number;
      }
    }
    throw RebuildFailure.of(calls.pid(), "find a free descriptor number", "the program uses all up to its limit");
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
        if ((file.getFlags() & O_ASYNC) != 0) {
          // Here and not in the restorer: the signal tells the number under which this was set.
          calls.add("set O_ASYNC of fd " + number, SyscallNumbers.FCNTL, number, F_SETFL, file.getFlags());
        }
      }
    }
  }
}
