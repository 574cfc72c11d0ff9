package io.pagelift.dumper.file;

import com.google.protobuf.ByteString;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FdInfo;
import io.pagelift.dumper.facts.RawReader;
import io.pagelift.dumper.refuse.Refusal;
import io.pagelift.dumper.refuse.RefusalSink;
import io.pagelift.dumper.tree.SharedKey;
import io.pagelift.image.Descriptor;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.NativeBuffer;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All open files of a frozen tree: which descriptors share one open file description, and what each kind needs to know of it.
 *
 * <p>Descriptors that are alike from outside (device, inode, flags) are candidates for sharing; kcmp(2) decides. It orders open
 * files as well, so each group is kept sorted and the calls stay at n log n.
 */
public final class FrozenFiles {
  private final FileInspection inspection;
  private final Ghosts ghosts;
  private final Map<Integer, List<DescriptorFacts>> byProcess;
  private final Map<Long, OpenFileDraft> byDescriptor = new HashMap<>();
  private final Map<Signature, List<OpenFileDraft>> groups = new HashMap<>();
  private final Map<SharedKey, List<OpenFileDraft>> byInode = new HashMap<>();
  private final List<OpenFileDraft> drafts = new ArrayList<>();
  private @Nullable NativeBuffer scratch;

  private record Signature(SharedKey key, int statusFlags, String link) {}

  private FrozenFiles(FileInspection inspection, Map<Integer, List<DescriptorFacts>> byProcess, Ghosts ghosts) {
    this.inspection = inspection;
    this.ghosts = ghosts;
    this.byProcess = byProcess;
  }

  /**
   * Sorts out who shares what and makes every read that needs the freeze.
   *
   * @param byProcess the descriptors of each process, in the order of the tree
   * @param sharedMemory whether an object is carried as shared memory because somebody maps it
   * @param ghosts takes the files that have no name
   */
  public static FrozenFiles read(
      FileInspection inspection,
      Map<Integer, List<DescriptorFacts>> byProcess,
      Predicate<SharedKey> sharedMemory,
      Ghosts ghosts) {
    FrozenFiles files = new FrozenFiles(inspection, byProcess, ghosts);
    byProcess.values().forEach(all -> all.forEach(facts -> files.place(facts, sharedMemory)));
    try (DescriptorCopies copies = new DescriptorCopies();
        NativeBuffer scratch = NativeBuffer.allocate(64)) {
      files.scratch = scratch;
      for (OpenFileDraft draft : files.drafts) {
        draft.copy(copies.fetch(draft.facts()));
        if (draft.copy() >= 0) {
          files.readOwner(draft, scratch);
        }
        draft.collector().inspect(draft.facts(), inspection);
        if (draft.collector().byPath()) {
          DescriptorFacts facts = draft.facts();
          ghosts.add(facts.pid(), facts.link(), facts.stat(), facts.place());
          // Nothing more is asked of it: a tree may have more files open than we may.
          draft.copy(copies.close(draft.copy()));
        }
      }
      files.drafts.forEach(draft -> draft.collector().readFrozen(draft, files));
      files.scratch = null;
    }
    return files;
  }

  /** Looks for what cannot be carried over at one descriptor, of a running process. */
  public static void inspect(DescriptorFacts facts, FileInspection inspection) {
    FileKinds.of(facts).inspect(facts, inspection);
  }

  /** The image of every open file description, each once. */
  public List<OpenFile> openFiles(FileReferences references) {
    List<OpenFile> images = new ArrayList<>();
    for (OpenFileDraft draft : drafts) {
      OpenFile.Builder image =
          OpenFile.newBuilder()
              .setId(draft.id())
              .setKind(draft.collector().kind())
              .setFlags(draft.facts().statusFlags())
              .setPosition(draft.facts().info().position())
              .setState(ByteString.copyFrom(draft.collector().state(draft, references).toByteArray()))
              .addAllNeeds(draft.needs());
      if (draft.owner() != null) {
        image.setOwner(draft.owner());
      }
      images.add(image.build());
    }
    return images;
  }

  /** The descriptor table of one process. */
  public List<Descriptor> descriptors(int pid) {
    List<Descriptor> table = new ArrayList<>();
    for (DescriptorFacts facts : byProcess.getOrDefault(pid, List.of())) {
      OpenFileDraft draft = at(pid, facts.fd());
      if (draft != null) {
        table.add(
            Descriptor.newBuilder()
                .setFd(facts.fd())
                .setOpenFileId(draft.id())
                .setCloseOnExec(facts.closeOnExec())
                .build());
      }
    }
    return table;
  }

  /** Every descriptor of shared memory, one of each object. */
  public List<DescriptorFacts> sharedMemoryFiles() {
    Map<SharedKey, DescriptorFacts> found = new HashMap<>();
    for (OpenFileDraft draft : drafts) {
      if (draft.collector() instanceof MemFdCollector) {
        found.putIfAbsent(draft.facts().stat().key(), draft.facts());
      }
    }
    return List.copyOf(found.values());
  }

  /** A process outside of the tree that has this pipe open; 0 for none. Slow: it looks at everybody's descriptors. */
  int outsider(OpenFileDraft pipe) {
    try (RawReader reader = new RawReader()) {
      Set<Integer> tree = new HashSet<>(byProcess.keySet());
      tree.add(Kernel.pid());
      return PipeHolders.outsiders(reader, tree, List.of(pipe.facts())).getOrDefault(pipe.facts().stat().key(), 0);
    }
  }

  /** The draft behind a descriptor, or {@code null}. */
  @Nullable OpenFileDraft at(int pid, int fd) {
    return byDescriptor.get(slot(pid, fd));
  }

  /** All drafts of the same device and inode, by ascending id. */
  List<OpenFileDraft> sameInode(OpenFileDraft file) {
    return byInode.getOrDefault(file.facts().stat().key(), List.of());
  }

  /** What an event poll watches under number {@code fd}, the {@code offset}-th of that number; {@code null} if not of the tree. */
  @Nullable OpenFileDraft epollTarget(OpenFileDraft epoll, int fd, int offset) {
    NativeBuffer slot = Objects.requireNonNull(scratch, "only inside the freeze");
    for (DescriptorFacts holder : epoll.holders()) {
      OpenFileDraft likely = at(holder.pid(), fd);
      if (likely != null && FileComparison.watches(epoll.facts(), fd, offset, likely.facts(), slot)) {
        return likely;
      }
    }
    for (OpenFileDraft draft : drafts) {
      if (FileComparison.watches(epoll.facts(), fd, offset, draft.facts(), slot)) {
        return draft;
      }
    }
    return null;
  }

  /** What is left of a timer, timerfd_gettime(2); 0 when it is not running. */
  long timeLeftNanos(int timer) {
    NativeBuffer time = Objects.requireNonNull(scratch, "only inside the freeze");
    Kernel.check(Kernel.call(SyscallNumbers.TIMERFD_GETTIME, timer, time.address()), "timerfd_gettime", "a timer");
    return time.bytes().getLong(16) * 1_000_000_000L + time.bytes().getLong(24);
  }

  /** The fdinfo of a timer after timerfd_gettime(2). */
  FdInfo afterTimerSetGoing(OpenFileDraft timer) {
    NativeBuffer time = Objects.requireNonNull(scratch, "only inside the freeze");
    DescriptorFacts facts = timer.facts();
    Kernel.check(
        Kernel.call(SyscallNumbers.TIMERFD_GETTIME, timer.copy(), time.address()),
        "timerfd_gettime",
        facts.pid(),
        facts.object());
    try (RawReader reader = new RawReader()) {
      return FdInfo.parse(reader.text("/proc/" + facts.pid() + "/fdinfo/" + facts.fd()));
    }
  }

  Ghosts ghosts() {
    return ghosts;
  }

  /** A descriptor of the tree that leads to a file by its path, or {@code null}. */
  @Nullable DescriptorFacts byPath(SharedKey key) {
    for (OpenFileDraft draft : byInode.getOrDefault(key, List.of())) {
      if (draft.collector().byPath()) {
        return draft.facts();
      }
    }
    return null;
  }

  FileInspection inspection() {
    return inspection;
  }

  void refuse(int pid, String object, String reason, String remedy) {
    inspection.sink().refuse(pid, object, reason, remedy);
  }

  private void place(DescriptorFacts facts, Predicate<SharedKey> sharedMemory) {
    Signature signature = new Signature(facts.stat().key(), facts.statusFlags(), facts.link());
    List<OpenFileDraft> group = groups.computeIfAbsent(signature, key -> new ArrayList<>());
    int low = 0;
    int high = group.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      int order = FileComparison.order(group.get(middle).facts(), facts);
      if (order == 0) {
        group.get(middle).holders().add(facts);
        byDescriptor.put(slot(facts.pid(), facts.fd()), group.get(middle));
        return;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    boolean asMemory = facts.stat().regular() && sharedMemory.test(facts.stat().key());
    FileCollector collector = asMemory ? new MemFdCollector() : FileKinds.of(facts);
    OpenFileDraft draft = new OpenFileDraft(drafts.size() + 1, collector, facts);
    drafts.add(draft);
    byInode.computeIfAbsent(facts.stat().key(), key -> new ArrayList<>()).add(draft);
    group.add(low, draft);
    byDescriptor.put(slot(facts.pid(), facts.fd()), draft);
  }

  private void readOwner(OpenFileDraft draft, NativeBuffer scratch) {
    OwnerReads.Owner owner = OwnerReads.read(draft.copy(), scratch);
    if (owner == null) {
      return;
    }
    if (owner.pid() != 0 && !ownerInTree(owner)) {
      DescriptorFacts facts = draft.facts();
      refuse(
          facts.pid(),
          facts.object(),
          "its signals go to process or group " + owner.pid() + ", which is not of the tree",
          "take that away with F_SETOWN before the dump");
    }
    draft.owner(owner.image());
  }

  /** F_OWNER_TID names a thread, F_OWNER_PID a process, F_OWNER_PGRP a group: one that has a process of the tree in it. */
  private boolean ownerInTree(OwnerReads.Owner owner) {
    if (!owner.group()) {
      return inspection.inTree(owner.pid());
    }
    for (int pid : inspection.pids()) {
      byte[] stat = inspection.reader().file("/proc/" + pid + "/stat");
      if (stat != null && ProcStat.parse(stat).processGroup() == owner.pid()) {
        return true;
      }
    }
    return false;
  }

  private static long slot(int pid, int fd) {
    return ((long) pid << 32) | fd;
  }
}
