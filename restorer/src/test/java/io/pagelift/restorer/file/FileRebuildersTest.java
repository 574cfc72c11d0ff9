package io.pagelift.restorer.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.pagelift.common.PageliftException;
import io.pagelift.image.Device;
import io.pagelift.image.Directory;
import io.pagelift.image.EventFd;
import io.pagelift.image.GhostFile;
import io.pagelift.image.OpenFile;
import io.pagelift.image.Pipe;
import io.pagelift.image.PipeChunk;
import io.pagelift.image.RegularFile;
import io.pagelift.image.SignalFd;
import io.pagelift.image.TimerFd;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcFdInfo;
import io.pagelift.linux.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRebuildersTest {
  @TempDir private Path directory;
  private final List<OpenFile> files = new ArrayList<>();
  private final List<GhostFile> ghosts = new ArrayList<>();
  private final Context context = new Context();
  private final List<FileDescriptor> made = new ArrayList<>();

  @AfterEach
  void closeAll() {
    made.forEach(FileDescriptor::close);
    context.close();
  }

  @Test
  void aRegularFileIsOpenAtItsPositionWithItsFlags() throws IOException {
    Path path = Files.writeString(directory.resolve("data"), "0123456789");
    FileDescriptor descriptor =
        rebuild(regular(path).toBuilder().setFlags(Constants.O_RDWR | Constants.O_APPEND).setPosition(4).build());
    assertThat(text(descriptor, 3)).isEqualTo("456");
    assertThat(descriptor.statusFlags() & Constants.O_APPEND).isNotZero();
  }

  @Test
  void aFileThatGrewOrIsMissingIsRefusedByItsPath() throws IOException {
    Path path = Files.writeString(directory.resolve("data"), "0123456789");
    OpenFile file = regular(path);
    Files.writeString(path, "longer than before");
    assertThatThrownBy(() -> check(file)).isInstanceOf(PageliftException.class).hasMessageContaining(path.toString());
    Files.delete(path);
    assertThatThrownBy(() -> check(file)).isInstanceOf(PageliftException.class).hasMessageContaining(path.toString());
  }

  @Test
  void anUnlinkedFileHasNoNameAndItsSizeAndMode() throws IOException {
    ByteString gone = bytes(directory.resolve("gone"));
    ghosts.add(
        GhostFile.newBuilder()
            .setId(1)
            .addNames(gone)
            .setSizeBytes(5000)
            .setMode(Constants.S_IFREG | 0640)
            .setMtimeNanos(1_700_000_000_000_000_123L)
            .build());
    RegularFile state = RegularFile.newBuilder().setPath(gone).setGhostId(1).build();
    FileDescriptor first = rebuild(file(1, "regular", Constants.O_RDWR, state));
    FileDescriptor second = rebuild(file(2, "regular", Constants.O_RDONLY, state));
    assertThat(first.stat().linkCount()).isZero();
    assertThat(first.stat().sizeBytes()).isEqualTo(5000);
    assertThat(first.stat().permissions()).isEqualTo(0640);
    assertThat(first.stat().modifyTime().toNanos()).isEqualTo(1_700_000_000_000_000_123L);
    assertThat(second.stat().sameFile(first.stat())).isTrue();
    try (var names = Files.list(directory)) {
      assertThat(names).isEmpty();
    }
  }

  @Test
  void aDirectoryAndADeviceAreOpenedByName() {
    FileDescriptor open =
        rebuild(file(1, "directory", Constants.O_DIRECTORY, Directory.newBuilder().setPath(bytes(directory)).build()));
    assertThat(open.stat().isDirectory()).isTrue();
    Stat zero = Stat.of("/dev/zero");
    Device.Builder device =
        Device.newBuilder().setPath(ByteString.copyFromUtf8("/dev/zero")).setMode(zero.mode()).setMajor(zero.rdevMajor()).setMinor(zero.rdevMinor());
    assertThat(text(rebuild(file(2, "device", Constants.O_RDWR, device.build())), 2)).isEqualTo("\0\0");
    assertThatThrownBy(() -> check(file(3, "device", 0, device.setMinor(77).build())))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("/dev/zero");
  }

  @Test
  void aPipeHoldsWhatItHeldAndEndsWhenItsLastWriterIsClosed() {
    Pipe pipe =
        Pipe.newBuilder()
            .setPipeId(7)
            .setCapacityBytes(8192)
            .setHasBuffer(true)
            .setBuffered(ByteString.copyFromUtf8("in the pipe"))
            .build();
    OpenFile reading = file(1, "pipe", Constants.O_RDONLY | Constants.O_NONBLOCK, pipe);
    OpenFile writing = file(2, "pipe", Constants.O_WRONLY, Pipe.newBuilder().setPipeId(7).build());
    FileDescriptor writer = rebuild(writing, reading, writing);
    FileDescriptor reader = rebuild(reading, reading, writing);
    context.close();
    assertThat(reader.fcntl(Constants.F_GETPIPE_SZ, 0)).isEqualTo(8192);
    assertThat(text(reader, 100)).isEqualTo("in the pipe");
    assertThatThrownBy(() -> text(reader, 1))
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EAGAIN));
    writer.writeFully("more".getBytes(StandardCharsets.UTF_8));
    writer.close();
    assertThat(text(reader, 100)).isEqualTo("more");
    assertThat(text(reader, 100)).isEmpty();
  }

  @Test
  void aPipeOfPacketsKeepsThemApart() {
    Pipe pipe =
        Pipe.newBuilder()
            .setPipeId(8)
            .setHasBuffer(true)
            .setBuffered(ByteString.copyFromUtf8("onethree"))
            .addChunks(PipeChunk.newBuilder().setLengthBytes(3).setPacket(true))
            .addChunks(PipeChunk.newBuilder().setLengthBytes(5).setPacket(true))
            .build();
    OpenFile reading = file(1, "pipe", Constants.O_RDONLY | Constants.O_NONBLOCK | Constants.O_DIRECT, pipe);
    FileDescriptor reader = rebuild(reading);
    assertThat(text(reader, 100)).isEqualTo("one");
    assertThat(text(reader, 100)).isEqualTo("three");
  }

  @Test
  void anEventFdHasItsCountAndKind() {
    long count = 1L << 40;
    FileDescriptor plain =
        rebuild(file(1, "eventfd", Constants.O_RDWR | Constants.O_NONBLOCK, EventFd.newBuilder().setCount(count).build()));
    assertThat(number(plain)).isEqualTo(count);
    EventFd semaphore = EventFd.newBuilder().setCount(2).setSemaphore(true).build();
    FileDescriptor counting = rebuild(file(2, "eventfd", Constants.O_RDWR, semaphore));
    assertThat(number(counting)).isEqualTo(1);
    assertThat(number(counting)).isEqualTo(1);
  }

  @Test
  void aTimerFdIsArmedOnlyAtTheEndWithWhatWasLeft() {
    TimerFd state = TimerFd.newBuilder().setClock(Constants.CLOCK_MONOTONIC).setTicks(3).setValueNanos(3_600_000_000_000L).build();
    OpenFile file = file(1, "timerfd", Constants.O_RDWR, state);
    FileDescriptor descriptor = rebuild(file);
    assertThat(ProcFdInfo.read(Kernel.pid(), descriptor.number()).value("it_value")).isEqualTo("(0, 0)");
    new FileRebuilders().of(file).arm(file, descriptor, context);
    ProcFdInfo armed = ProcFdInfo.read(Kernel.pid(), descriptor.number());
    assertThat(armed.value("it_value")).startsWith("(3599, ");
    assertThat(armed.value("ticks")).isEqualTo("3");
  }

  @Test
  void aSignalFdHasItsMask() {
    FileDescriptor descriptor =
        rebuild(file(1, "signalfd", Constants.O_RDWR, SignalFd.newBuilder().setMask(0x4000_0200L).build()));
    assertThat(ProcFdInfo.read(Kernel.pid(), descriptor.number()).value("sigmask"))
        .isEqualTo("0000000040000200");
  }

  @Test
  void aKindThatIsNotKnownAndAStateThatCannotBeReadAreRefused() {
    assertThatThrownBy(() -> check(file(1, "carrier-pigeon", 0, EventFd.getDefaultInstance())))
        .isInstanceOf(PageliftException.class)
        .hasMessageContaining("carrier-pigeon");
    OpenFile broken = OpenFile.newBuilder().setId(9).setKind("pipe").setState(ByteString.copyFrom(new byte[] {-1})).build();
    assertThatThrownBy(() -> check(broken)).isInstanceOf(PageliftException.class).hasMessageContaining("open file 9");
  }

  private static OpenFile regular(Path path) {
    Stat stat = Stat.of(path.toString());
    return file(
        1,
        "regular",
        Constants.O_RDWR,
        RegularFile.newBuilder()
            .setPath(bytes(path))
            .setSizeBytes(stat.sizeBytes())
            .setMtimeNanos(stat.modifyTime().toNanos())
            .build());
  }

  private static OpenFile file(int id, String kind, int flags, Message state) {
    return OpenFile.newBuilder().setId(id).setKind(kind).setFlags(flags).setState(state.toByteString()).build();
  }

  private static ByteString bytes(Path path) {
    return ByteString.copyFromUtf8(path.toString());
  }

  private static void check(OpenFile file) {
    new FileRebuilders().of(file).check(file);
  }

  private FileDescriptor rebuild(OpenFile file, OpenFile... all) {
    files.clear();
    files.addAll(all.length == 0 ? List.of(file) : List.of(all));
    check(file);
    FileDescriptor descriptor = new FileRebuilders().of(file).rebuild(file, context);
    made.add(descriptor);
    return descriptor;
  }

  private static String text(FileDescriptor descriptor, int maxBytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(maxBytes);
    descriptor.read(buffer);
    return StandardCharsets.UTF_8.decode(buffer.flip()).toString();
  }

  private static long number(FileDescriptor descriptor) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
    descriptor.read(buffer);
    return buffer.getLong(0);
  }

  private final class Context implements FileContext {
    private final Map<String, FileDescriptor> common = new HashMap<>();
    private @Nullable GhostFiles ghostFiles;

    @Override
    public FileDescriptor sharedMemory(int id) {
      throw new IllegalArgumentException("no shared memory " + id);
    }

    @Override
    public GhostFiles ghosts() {
      if (ghostFiles == null) {
        ghostFiles = new GhostFiles(ghosts, (objectId, file, sizeBytes) -> {});
      }
      return ghostFiles;
    }

    @Override
    public <T extends AutoCloseable> T once(String key, Class<T> type, Supplier<T> maker) {
      return type.cast(common.computeIfAbsent(key, any -> (FileDescriptor) maker.get()));
    }

    @Override
    public EndedProcesses endedProcesses() {
      throw new IllegalStateException("no processes here");
    }

    @Override
    public List<OpenFile> openFiles() {
      return files;
    }

    void close() {
      common.values().forEach(FileDescriptor::close);
      common.clear();
      ghosts().close();
    }
  }
}
