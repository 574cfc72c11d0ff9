package io.pagelift.dumper.splice;

import io.pagelift.common.PageRun;
import io.pagelift.dumper.memory.PageSet;
import io.pagelift.dumper.memory.ReadPlan;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.PidFd;
import io.pagelift.linux.ProcFdInfo;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.inject.Cleanup;
import io.pagelift.linux.inject.LivingInjection;
import io.pagelift.linux.ptrace.Tracee;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Has a frozen process give pages of its memory into pipes: vmsplice(2) with SPLICE_F_GIFT takes references, it copies nothing.
 *
 * <p>One pipe after the other: pipe2, fetch our end, make it large, vmsplice, close both ends in the target. While a pipe is
 * open there, its two numbers are armed for closing should we die. They have to be known before pipe2 is made: all threads are
 * stopped, so these are the two lowest free ones.
 *
 * <p>The pages stay pinned until they are drained: the whole dirty part of the process at once, which is what read mode avoids.
 * What does not fit into pipes (a user without CAP_SYS_RESOURCE may have 64 MiB in all) or may not be read by its owner is
 * left out, and is read after the thaw.
 */
public final class PipeFiller {
  /** 4096 slots; the kernel's array of them is one allocation of 160 KiB, and larger ones begin to fail. */
  private static final int PIPE_BYTES = 16 << 20;

  private static final int VECTOR_OFFSET = 64;
  private static final int VECTOR_BYTES = 16;
  private static final int AREA_BYTES = 8192;

  private final PageSet leftOut = new PageSet();
  private final List<PagePipe> pipes = new ArrayList<>();
  private final ReadPlan plan = new ReadPlan();
  private long areaAddress;

  /**
   * Fills pipes; runs on the tracer thread.
   *
   * @param leader a stopped thread of the process
   * @param wanted the pages
   */
  public void fill(Tracee leader, PidFd pidFd, PageSet wanted) {
    long page = wanted.nextMember(0);
    if (page < 0) {
      return;
    }
    try (LivingInjection injection = LivingInjection.open(leader)) {
      areaAddress = injection.workArea(AREA_BYTES).address();
      while (page >= 0) {
        long next = fillOne(injection, pidFd, wanted, page);
        if (next == page) {
          break; // No room for pipes any more.
        }
        page = wanted.nextMember(next);
      }
    }
    if (page >= 0) {
      PageSet rest = wanted.copy();
      rest.remove(0, page);
      leftOut.addAll(rest);
    }
  }

  /** Pipes in the order of their pages. The caller closes them. */
  List<PagePipe> pipes() {
    return pipes;
  }

  /** Pages that are in no pipe. */
  PageSet leftOut() {
    return leftOut;
  }

  /** Pipes that were filled. */
  public int pipeCount() {
    return pipes.size();
  }

  /** Memory that the pipes pin. */
  public long pinnedBytes() {
    return pipes.stream().mapToLong(pipe -> pipe.pages().pageCount()).sum() * PageRun.PAGE_BYTES;
  }

  private long fillOne(LivingInjection injection, PidFd pidFd, PageSet wanted, long fromPage) {
    int pid = pidFd.pid();
    int[] free = lowestFree(pid);
    injection.callThen(Cleanup.call(SyscallNumbers.CLOSE, free[1]), SyscallNumbers.GETPID);
    long made =
        injection.callThen(
            Cleanup.call(SyscallNumbers.CLOSE, free[0]),
            SyscallNumbers.PIPE2,
            areaAddress,
            Constants.O_CLOEXEC | Constants.O_NONBLOCK);
    Kernel.check(made, "pipe2", pid, "");
    FileDescriptor readEnd = pidFd.fetch(free[0]);
    PagePipe pipe = new PagePipe(readEnd, new PageSet());
    pipes.add(pipe);
    long capacityPages = enlarge(readEnd) / PageRun.PAGE_BYTES;
    long page = wanted.nextMember(fromPage);
    while (page >= 0 && pipe.pages().pageCount() < capacityPages) {
      long next = splice(injection, free[1], wanted, page, pipe, capacityPages - pipe.pages().pageCount());
      if (next == page) {
        break;
      }
      page = wanted.nextMember(next);
    }
    injection.runCleanup();
    injection.runCleanup();
    return page < 0 ? Long.MAX_VALUE : page;
  }

  private long splice(
      LivingInjection injection, int writeEnd, PageSet wanted, long page, PagePipe pipe, long roomPages) {
    plan.fill(wanted, page, Long.MAX_VALUE);
    ByteBuffer vectors = ByteBuffer.allocate(plan.count() * VECTOR_BYTES).order(ByteOrder.nativeOrder());
    long room = roomPages * PageRun.PAGE_BYTES;
    int count = 0;
    for (; count < plan.count() && room > 0; count++) {
      long length = Math.min(room, plan.length(count));
      vectors.putLong(plan.address(count)).putLong(length);
      room -= length;
    }
    injection.write(VECTOR_OFFSET, vectors.array());
    long moved =
        injection.call(
            SyscallNumbers.VMSPLICE,
            writeEnd,
            areaAddress + VECTOR_OFFSET,
            count,
            Constants.SPLICE_F_GIFT | Constants.SPLICE_F_NONBLOCK);
    if (moved == -Errno.EAGAIN) {
      return page;
    }
    if (moved == -Errno.EFAULT) {
      leftOut.add(page, page + 1);
      return page + 1;
    }
    Kernel.check(moved, "vmsplice", 0, "page " + page);
    return take(pipe, moved / PageRun.PAGE_BYTES);
  }

  /** Notes the first pages of the plan as being in the pipe; returns the page to go on with. */
  private long take(PagePipe pipe, long pageCount) {
    long left = pageCount;
    long end = plan.address(0) / PageRun.PAGE_BYTES;
    for (int i = 0; i < plan.count() && left > 0; i++) {
      long first = plan.address(i) / PageRun.PAGE_BYTES;
      end = first + Math.min(left, plan.length(i) / PageRun.PAGE_BYTES);
      pipe.pages().add(first, end);
      left -= end - first;
    }
    return end;
  }

  private static int[] lowestFree(int pid) {
    List<Integer> taken = ProcFdInfo.openDescriptors(pid);
    int[] free = new int[2];
    int found = 0;
    for (int number = 0; found < 2; number++) {
      if (!taken.contains(number)) {
        free[found++] = number;
      }
    }
    return free;
  }

  private static long enlarge(FileDescriptor pipe) {
    for (int bytes = PIPE_BYTES; ; bytes /= 4) {
      try {
        return pipe.fcntl(Constants.F_SETPIPE_SZ, bytes);
      } catch (KernelException failure) {
        if (failure.errno() != Errno.EPERM && failure.errno() != Errno.ENOMEM) {
          throw failure;
        }
        if (bytes <= (64 << 10)) {
          return pipe.fcntl(Constants.F_GETPIPE_SZ, 0);
        }
      }
    }
  }
}
