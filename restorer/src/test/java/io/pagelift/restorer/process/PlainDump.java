package io.pagelift.restorer.process;

import com.google.protobuf.ByteString;
import io.pagelift.common.PageRun;
import io.pagelift.image.AddressSpace;
import io.pagelift.image.Descriptor;
import io.pagelift.image.Device;
import io.pagelift.image.FileSystemState;
import io.pagelift.image.MappedFile;
import io.pagelift.image.MmLayout;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessControls;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.RegularFile;
import io.pagelift.image.Rseq;
import io.pagelift.image.SourceHost;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.image.Vma;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Deadline;
import io.pagelift.linux.MemoryMap;
import io.pagelift.linux.MemoryMapDetail;
import io.pagelift.linux.Pagemap;
import io.pagelift.linux.ProcAuxv;
import io.pagelift.linux.ProcFdInfo;
import io.pagelift.linux.ProcFile;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.ProcessMaps;
import io.pagelift.linux.RemoteMemory;
import io.pagelift.linux.Stat;
import io.pagelift.linux.ptrace.PtraceOptions;
import io.pagelift.linux.ptrace.RseqConfiguration;
import io.pagelift.linux.ptrace.Tracee;
import java.time.Duration;

/**
 * The least that a dump can be: one process with one thread, default signal actions, descriptors on devices and regular files. It lets the
 * restorer be tried without the dumper.
 */
final class PlainDump {
  static final long OBJECT = 1;

  private PlainDump() {}

  /** Takes the image of a process and leaves it stopped under ptrace by the calling thread, which kills it. */
  static void take(int pid, MemoryImage image) {
    Tracee tracee = Tracee.seize(pid, pid, PtraceOptions.EXITKILL);
    tracee.interrupt();
    tracee.awaitStop(Deadline.in(Duration.ofMinutes(1)));
    ProcessImage.Builder process =
        ProcessImage.newBuilder()
            .setPid(pid)
            .setProcessGroup(ProcStat.read(pid).processGroup())
            .setSession(ProcStat.read(pid).session())
            .setState(ProcessImage.State.ALIVE)
            .setExitSignal(Constants.SIGCHLD)
            .setAddressSpace(addressSpace(pid, image))
            .addThreads(thread(tracee))
            .setControls(ProcessControls.newBuilder().setDumpable(1).setCoredumpFilter(0x33))
            .setFs(FileSystemState.newBuilder().setCwd(bytes(ProcTree.link(pid, "cwd"))).setRoot(bytes("/")).setUmask(022));
    TreeImage.Builder tree =
        TreeImage.newBuilder()
            .setFormatVersion(1)
            .setHost(SourceHost.newBuilder().setMachine("x86_64"))
            .setRootPid(pid)
            .setShellJob(true);
    for (int fd : ProcFile.numbers("/proc/" + pid + "/fd")) {
      ProcFdInfo info = ProcFdInfo.read(pid, fd);
      boolean closeOnExec = (info.flags() & Constants.O_CLOEXEC) != 0;
      tree.addOpenFiles(openFile(pid, fd, info));
      process.addDescriptors(Descriptor.newBuilder().setFd(fd).setOpenFileId(fd + 1).setCloseOnExec(closeOnExec));
    }
    image.tree(tree.addProcesses(process).build());
  }

  private static OpenFile openFile(int pid, int fd, ProcFdInfo info) {
    String path = ProcTree.link(pid, "fd/" + fd);
    Stat stat = Stat.of(path);
    OpenFile.Builder file =
        OpenFile.newBuilder()
            .setId(fd + 1)
            .setFlags(info.flags() & ~Constants.O_CLOEXEC)
            .setPosition(info.positionBytes());
    if (stat.isRegular()) {
      RegularFile regular =
          RegularFile.newBuilder()
              .setPath(bytes(path))
              .setSizeBytes(stat.sizeBytes())
              .setMtimeNanos(stat.modifyTime().toNanos())
              .build();
      return file.setKind("regular").setState(regular.toByteString()).build();
    }
    Device device =
        Device.newBuilder()
            .setPath(bytes(path))
            .setMode(stat.mode())
            .setMajor(stat.rdevMajor())
            .setMinor(stat.rdevMinor())
            .build();
    return file.setKind("device").setState(device.toByteString()).build();
  }

  private static ByteString bytes(String path) {
    return ByteString.copyFromUtf8(path);
  }

  private static ThreadImage thread(Tracee tracee) {
    RseqConfiguration rseq = tracee.rseq();
    return ThreadImage.newBuilder()
        .setTid(tracee.tid())
        .setGeneralRegisters(ByteString.copyFrom(tracee.registers().bytes()))
        .setExtendedState(ByteString.copyFrom(tracee.extendedState()))
        .setSignalMask(tracee.signalMask())
        .setComm(ByteString.copyFromUtf8(ProcTree.name(tracee.pid(), tracee.tid())))
        .setRseq(
            Rseq.newBuilder()
                .setAddress(rseq.address())
                .setLengthBytes(rseq.lengthBytes())
                .setSignature(rseq.signature()))
        .build();
  }

  private static AddressSpace addressSpace(int pid, MemoryImage image) {
    ProcStat stat = ProcStat.read(pid);
    AddressSpace.Builder space =
        AddressSpace.newBuilder()
            .setObjectId(OBJECT)
            .setAuxv(ByteString.copyFrom(ProcAuxv.readRaw(pid)))
            .setExePath(bytes(ProcTree.link(pid, "exe")));
    long heapEnd = stat.startBrk();
    for (MemoryMapDetail detail : ProcessMaps.readDetails(pid)) {
      MemoryMap map = detail.map();
      if (map.path().equals("[vsyscall]")) {
        continue;
      }
      if (map.path().equals("[heap]")) {
        heapEnd = map.end();
      }
      space.addVmas(vma(detail));
      if (!map.kernelProvided() && !map.shared()) {
        pages(pid, map, image);
      }
    }
    return space
        .setLayout(
            MmLayout.newBuilder()
                .setStartCode(stat.startCode())
                .setEndCode(stat.endCode())
                .setStartData(stat.startData())
                .setEndData(stat.endData())
                .setStartBrk(stat.startBrk())
                .setBrk(heapEnd)
                .setStartStack(stat.startStack())
                .setArgStart(stat.argStart())
                .setArgEnd(stat.argEnd())
                .setEnvStart(stat.envStart())
                .setEnvEnd(stat.envEnd()))
        .build();
  }

  private static Vma vma(MemoryMapDetail detail) {
    MemoryMap map = detail.map();
    Vma.Builder vma =
        Vma.newBuilder()
            .setStart(map.start())
            .setEnd(map.end())
            .setProtection(map.protection())
            .setName(map.path())
            .addAllVmFlags(detail.vmFlags());
    if (map.kernelProvided()) {
      return vma.setKind(map.path().equals("[vdso]") ? Vma.Kind.VDSO : Vma.Kind.VVAR).build();
    }
    if (!map.hasFile()) {
      return vma.setKind(Vma.Kind.ANONYMOUS).build();
    }
    Stat stat = Stat.of(map.path());
    return vma.setKind(Vma.Kind.FILE_PRIVATE)
        .setFileOffsetBytes(map.fileOffsetBytes())
        .setFile(
            MappedFile.newBuilder()
                .setPath(bytes(map.path()))
                .setSizeBytes(stat.sizeBytes())
                .setMtimeNanos(stat.modifyTime().toNanos()))
        .build();
  }

  private static void pages(int pid, MemoryMap map, MemoryImage image) {
    try (Pagemap pagemap = Pagemap.open(pid);
        RemoteMemory.MemFile memory = RemoteMemory.openMem(pid)) {
      int count = pagemap.read(map.start(), (int) Math.min(Pagemap.MAX_PAGES, map.pageCount()));
      for (int i = 0; i < count; i++) {
        long entry = pagemap.entry(i);
        if (Pagemap.present(entry) && !Pagemap.fileOrShared(entry)) {
          long page = map.start() / PageRun.PAGE_BYTES + i;
          image.addPages(OBJECT, page, memory.read(page * PageRun.PAGE_BYTES, PageRun.PAGE_BYTES));
        }
      }
    }
  }
}
