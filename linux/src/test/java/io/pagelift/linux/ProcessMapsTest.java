package io.pagelift.linux;

import static io.pagelift.linux.Constants.MAP_PRIVATE;
import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.O_RDWR;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessMapsTest {
  @TempDir Path directory;

  private static List<MemoryMap> parse(String text) {
    return ProcessMaps.parse(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void everyFieldOfALineIsParsed() {
    MemoryMap map = parse("7f1c2000-7f1c5000 r-xs 00001000 fe:1a 1234                 /usr/lib/x y.so\n").get(0);
    assertThat(map)
        .isEqualTo(new MemoryMap(0x7f1c2000L, 0x7f1c5000L, 5, true, 0x1000, 0xfe, 0x1a, 1234, "/usr/lib/x y.so"));
    assertThat(map.pageCount()).isEqualTo(3);
  }

  @Test
  void aLineWithoutPathAndTheHighestMappingAreParsed() {
    List<MemoryMap> maps =
        parse(
            """
            00400000-00401000 ---p 00000000 00:00 0\s
            ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
            """);
    assertThat(maps.get(0).path()).isEmpty();
    assertThat(maps.get(0).privateAnonymous()).isTrue();
    assertThat(maps.get(1).start()).isEqualTo(0xffffffffff600000L);
    assertThat(maps.get(1).kernelProvided()).isTrue();
    assertThat(maps.get(1).contains(0xffffffffff600fffL)).isTrue();
  }

  @Test
  void anEmptyFileIsNoMappings() {
    assertThat(parse("")).isEmpty();
  }

  @Test
  void oddFileNamesComeBackAsTheyAre() {
    byte[] notUtf8 = {'n', (byte) 0xff, (byte) 0xc3, 'x', (byte) 0xe2, (byte) 0x82};
    for (String name : List.of("a\nb", " lead and trail ", "ü€😀", FileNames.decode(notUtf8), "x [heap]", "tab\there")) {
      String path = directory + "/" + name;
      try (FileDescriptor file = FileDescriptor.open(path, O_RDWR | O_CREAT)) {
        file.truncate(4096);
        try (Mapping mapping = Mapping.of(1, MAP_PRIVATE, file.number())) {
          MemoryMap map = mapping.inMaps();
          assertThat(map.path()).isEqualTo(path);
          assertThat(map.inode()).isEqualTo(Stat.of(path).inode());
        }
      }
    }
  }

  @Test
  void anUnlinkedFileIsMarkedAndStillOpensByItsMapping() throws Exception {
    Path path = directory.resolve("gone");
    Child.write(path, "contents");
    try (FileDescriptor file = FileDescriptor.open(path.toString(), O_RDONLY);
        Mapping mapping = Mapping.of(1, MAP_PRIVATE, file.number())) {
      Files.delete(path);
      MemoryMap map = mapping.inMaps();
      assertThat(map.markedDeleted()).isTrue();
      assertThat(map.pathWithoutMark()).isEqualTo(path.toString());
      assertThat(ProcessMaps.statFile(Kernel.pid(), map).linkCount()).isZero();
      try (FileDescriptor again = ProcessMaps.openFile(Kernel.pid(), map, O_RDONLY)) {
        assertThat(again.stat().sameFile(file.stat())).isTrue();
      }
    }
  }

  @Test
  void theRawTextInGivenMemoryIsTheSame() {
    try (Child child = Child.sleeping();
        NativeBuffer memory = NativeBuffer.allocate(1 << 20);
        NativeBuffer small = NativeBuffer.allocate(1)) {
      // Until exec has happened and the loader is through, the mappings change.
      awaitSleeping(child);
      int length = ProcessMaps.readRaw(child.pid(), memory);
      assertThat(ProcessMaps.bytes(memory, length)).isEqualTo(ProcessMaps.readRaw(child.pid()));
      assertThat(ProcessMaps.readRaw(Kernel.pid(), small)).isEqualTo(-1);
    }
  }

  @Test
  void mappingsNeverOverlapWhileTheyChangeUnderTheReader() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    Thread churn =
        new Thread(
            () -> {
              while (!stop.get()) {
                try (Mapping mapping = Mapping.anonymous(5)) {
                  mapping.protect(2, 1, 0);
                  mapping.unmap(3, 1);
                }
              }
            });
    churn.start();
    try {
      for (int i = 0; i < 100; i++) {
        long lastEnd = 0;
        for (MemoryMap map : ProcessMaps.read(Kernel.pid())) {
          assertThat(Long.compareUnsigned(map.start(), lastEnd)).isNotNegative();
          assertThat(map.lengthBytes()).isPositive();
          lastEnd = map.end();
        }
      }
    } finally {
      stop.set(true);
      churn.join();
    }
  }

  private static void awaitSleeping(Child child) {
    assertThat(child.bound().await(() -> ProcFile.text("/proc/" + child.pid() + "/wchan").contains("nanosleep")
        || ProcStat.read(child.pid()).state() == 'S'))
        .isTrue();
  }

  @Test
  void detailsCarryFlagsAndSizes() {
    try (Mapping mapping = Mapping.anonymous(4).touch(0).touch(1)) {
      mapping.advise(0, 4, Constants.MADV_DONTDUMP);
      MemoryMapDetail detail =
          ProcessMaps.readDetails(Kernel.pid()).stream()
              .filter(each -> each.map().contains(mapping.address()))
              .findFirst()
              .orElseThrow();
      assertThat(detail.dontDump()).isTrue();
      assertThat(detail.vmFlags()).contains("rd", "wr");
      assertThat(detail.sizeBytes("Rss")).isEqualTo(8192);
      assertThat(detail.sizeBytes("Size")).isEqualTo(detail.map().lengthBytes());
      assertThat(detail.sizeBytes("NoSuchFigure")).isZero();
    }
  }

  @Test
  void mapsAndDetailsListTheSameMappings() {
    try (Child child = Child.sleeping()) {
      awaitSleeping(child);
      assertThat(ProcessMaps.readDetails(child.pid()).stream().map(MemoryMapDetail::map))
          .containsExactlyElementsOf(ProcessMaps.read(child.pid()));
    }
  }

  @Test
  void aProcessThatIsGoneSaysSo() {
    Child child = Child.sleeping();
    child.close();
    assertThatThrownBy(() -> ProcessMaps.readRaw(child.pid()))
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.processGone()).isTrue());
  }
}
