package io.pagelift.restorer.cli;

import io.pagelift.image.Descriptor;
import io.pagelift.image.OpenFile;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.SharedMemory;
import io.pagelift.image.ThreadImage;
import io.pagelift.image.TreeImage;
import io.pagelift.image.Vma;
import io.pagelift.restorer.source.ImageSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What an image holds, as text or JSON; no contents of pages, pipes or registers. */
final class ImageListing {
  private final TreeImage image;
  private final ImageSource source;

  ImageListing(ImageSource source) {
    this.source = source;
    this.image = source.tree();
  }

  /** For people. */
  String table() {
    StringBuilder out = new StringBuilder();
    line(out, "%s: root %d, %d processes, taken on %s (%s) by %s", source.description(), image.getRootPid(),
        image.getProcessesCount(), image.getHost().getHostname(), image.getHost().getKernelRelease(), image.getSoftware());
    for (ProcessImage process : image.getProcessesList()) {
      long pages = pages(process.getAddressSpace().getObjectId());
      line(out, "%nprocess %d  parent %d  group %d  session %d  %s  '%s'  %d threads  %d mappings  %d pages",
          process.getPid(), process.getParentPid(), process.getProcessGroup(), process.getSession(), process.getState(),
          name(process), process.getThreadsCount(), process.getAddressSpace().getVmasCount(), pages);
      for (ThreadImage thread : process.getThreadsList()) {
        line(out, "  thread %-7d '%s'", thread.getTid(), thread.getComm().toStringUtf8());
      }
      for (Vma vma : process.getAddressSpace().getVmasList()) {
        line(out, "  %12x-%-12x %s %-21s %s", vma.getStart(), vma.getEnd(), protection(vma), vma.getKind(), path(vma));
      }
      for (Descriptor descriptor : process.getDescriptorsList()) {
        line(out, "  fd %-4d open file %d%s", descriptor.getFd(), descriptor.getOpenFileId(),
            descriptor.getCloseOnExec() ? " (close on exec)" : "");
      }
    }
    out.append('\n');
    for (OpenFile file : image.getOpenFilesList()) {
      line(out, "open file %-4d %-10s flags 0%o position %d", file.getId(), file.getKind(), file.getFlags(), file.getPosition());
    }
    for (SharedMemory memory : image.getSharedMemoriesList()) {
      line(out, "shared memory %d  %s  %d bytes  %d pages  %s", memory.getId(), memory.getKind(), memory.getSizeBytes(),
          pages(memory.getObjectId()), memory.getName());
    }
    return out.toString();
  }

  private static void line(StringBuilder out, String format, Object... arguments) {
    out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  /** For programs. */
  String json() {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("root_pid", image.getRootPid());
    root.put("software", image.getSoftware());
    root.put("hostname", image.getHost().getHostname());
    root.put("kernel", image.getHost().getKernelRelease());
    root.put("dumped_unix_nanos", image.getDumpedUnixNanos());
    root.put("processes", image.getProcessesList().stream().map(this::process).toList());
    root.put("open_files", image.getOpenFilesList().stream().map(ImageListing::openFile).toList());
    root.put("shared_memories", image.getSharedMemoriesList().stream().map(this::sharedMemory).toList());
    return Json.text(root) + "\n";
  }

  private Map<String, Object> process(ProcessImage process) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("pid", process.getPid());
    map.put("parent_pid", process.getParentPid());
    map.put("process_group", process.getProcessGroup());
    map.put("session", process.getSession());
    map.put("state", process.getState().name().toLowerCase(Locale.ROOT));
    map.put("name", name(process));
    map.put("program", process.getAddressSpace().getExePath().toStringUtf8());
    map.put("pages", pages(process.getAddressSpace().getObjectId()));
    List<Object> threads = new ArrayList<>();
    process.getThreadsList().forEach(thread -> threads.add(Map.of("tid", thread.getTid())));
    map.put("threads", threads);
    List<Object> mappings = new ArrayList<>();
    for (Vma vma : process.getAddressSpace().getVmasList()) {
      Map<String, Object> mapping = new LinkedHashMap<>();
      mapping.put("start", "0x" + Long.toHexString(vma.getStart()));
      mapping.put("end", "0x" + Long.toHexString(vma.getEnd()));
      mapping.put("protection", protection(vma));
      mapping.put("kind", vma.getKind().name().toLowerCase(Locale.ROOT));
      mapping.put("path", path(vma));
      mappings.add(mapping);
    }
    map.put("mappings", mappings);
    List<Object> descriptors = new ArrayList<>();
    for (Descriptor descriptor : process.getDescriptorsList()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("fd", descriptor.getFd());
      entry.put("open_file", descriptor.getOpenFileId());
      descriptors.add(entry);
    }
    map.put("descriptors", descriptors);
    return map;
  }

  private static Map<String, Object> openFile(OpenFile file) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", file.getId());
    map.put("kind", file.getKind());
    map.put("flags", file.getFlags());
    map.put("position", file.getPosition());
    return map;
  }

  private Map<String, Object> sharedMemory(SharedMemory memory) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", memory.getId());
    map.put("kind", memory.getKind().name().toLowerCase(Locale.ROOT));
    map.put("size_bytes", memory.getSizeBytes());
    map.put("pages", pages(memory.getObjectId()));
    map.put("name", memory.getName());
    return map;
  }

  private long pages(long objectId) {
    long[] pages = {0};
    source.forEachPlace(objectId, place -> pages[0] += place.pageCount());
    return pages[0];
  }

  private static String name(ProcessImage process) {
    return process.getThreadsCount() == 0 ? process.getComm() : process.getThreads(0).getComm().toStringUtf8();
  }

  private static String protection(Vma vma) {
    int bits = vma.getProtection();
    return ((bits & 1) != 0 ? "r" : "-") + ((bits & 2) != 0 ? "w" : "-") + ((bits & 4) != 0 ? "x" : "-");
  }

  private static String path(Vma vma) {
    return vma.hasFile() ? vma.getFile().getPath().toStringUtf8() : vma.getName();
  }
}
