package io.pagelift.linux;

import static io.pagelift.linux.Constants.FD_CLOEXEC;
import static io.pagelift.linux.Constants.F_ADD_SEALS;
import static io.pagelift.linux.Constants.F_GETFD;
import static io.pagelift.linux.Constants.F_GET_SEALS;
import static io.pagelift.linux.Constants.MFD_ALLOW_SEALING;
import static io.pagelift.linux.Constants.O_APPEND;
import static io.pagelift.linux.Constants.O_CREAT;
import static io.pagelift.linux.Constants.O_EXCL;
import static io.pagelift.linux.Constants.O_PATH;
import static io.pagelift.linux.Constants.O_RDONLY;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.SEEK_CUR;
import static io.pagelift.linux.Constants.SEEK_SET;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileDescriptorTest {
  @TempDir Path directory;

  @Test
  void bytesWrittenAtAnOffsetAreReadBack() {
    try (FileDescriptor file = FileDescriptor.memfd("data", 0);
        NativeBuffer buffer = NativeBuffer.allocate(16)) {
      buffer.bytes().putLong(0, 0x1122334455667788L);
      assertThat(file.pwrite(buffer.address(), 8, 100)).isEqualTo(8);
      assertThat(file.stat().sizeBytes()).isEqualTo(108);
      assertThat(file.pread(buffer.address() + 8, 8, 100)).isEqualTo(8);
      assertThat(buffer.bytes().getLong(8)).isEqualTo(0x1122334455667788L);
      assertThat(file.pread(buffer.address(), 8, 108)).isZero();
    }
  }

  @Test
  void oneReadFillsSeveralPlaces() {
    try (FileDescriptor file = FileDescriptor.memfd("data", 0);
        NativeBuffer buffer = NativeBuffer.allocate(16)) {
      file.writeFully("abcdefgh".getBytes(StandardCharsets.US_ASCII));
      long[] addresses = {buffer.address() + 8, buffer.address()};
      assertThat(file.preadv(addresses, new int[] {3, 5}, 2, 0)).isEqualTo(8);
      byte[] bytes = new byte[11];
      buffer.bytes().get(bytes);
      assertThat(new String(bytes, StandardCharsets.US_ASCII)).isEqualTo("defgh\0\0\0abc");
    }
  }

  @Test
  void everyDescriptorIsCloseOnExec() {
    try (FileDescriptor file = FileDescriptor.open(directory + "/f", O_RDWR | O_CREAT | O_EXCL);
        FileDescriptor copy = file.dup();
        FileDescriptor high = file.dupFrom(500);
        FileDescriptor memory = FileDescriptor.memfd("m", 0);
        Pipe pipe = Pipe.open(0)) {
      assertThat(high.number()).isGreaterThanOrEqualTo(500);
      for (FileDescriptor each :
          new FileDescriptor[] {file, copy, high, memory, pipe.readEnd(), pipe.writeEnd()}) {
        assertThat(each.fcntl(F_GETFD, 0)).as(each.toString()).isEqualTo(FD_CLOEXEC);
      }
    }
  }

  @Test
  void aNewFileIsForItsOwnerOnly() {
    try (FileDescriptor file = FileDescriptor.open(directory + "/f", O_RDWR | O_CREAT)) {
      assertThat(file.stat().permissions()).isEqualTo(0600);
      assertThat(file.stat().linkCount()).isEqualTo(1);
    }
  }

  @Test
  void aMissingFileNamesItsPath() {
    assertThatThrownBy(() -> FileDescriptor.open("/no/such", O_RDONLY))
        .hasMessage("open on /no/such failed with ENOENT");
  }

  @Test
  void aPathWithANulByteOrTooLongIsRefused() {
    assertThatThrownBy(() -> FileDescriptor.open("/tmp/a\0b", O_RDONLY)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> FileDescriptor.open("/" + "x".repeat(9000), O_RDONLY)).hasMessageContaining("ENAMETOOLONG");
    assertThatThrownBy(() -> FileDescriptor.open("/" + "x/".repeat(3000), O_RDONLY)).hasMessageContaining("ENAMETOOLONG");
  }

  @Test
  void copiesShareTheOffset() {
    try (FileDescriptor file = FileDescriptor.memfd("m", 0);
        FileDescriptor copy = file.dup()) {
      file.seek(77, SEEK_SET);
      assertThat(copy.seek(0, SEEK_CUR)).isEqualTo(77);
      assertThat(copy.statusFlags() & O_RDWR).isEqualTo(O_RDWR);
    }
  }

  @Test
  void holesAndDataAreFound() {
    try (FileDescriptor file = FileDescriptor.memfd("sparse", 0);
        NativeBuffer buffer = NativeBuffer.allocate(4096)) {
      file.truncate(40 * 4096);
      assertThat(file.seekData(0)).isEqualTo(-1);
      file.pwrite(buffer.address(), 4096, 8 * 4096);
      assertThat(file.seekData(0)).isEqualTo(8 * 4096);
      assertThat(file.seekHole(8 * 4096)).isEqualTo(9 * 4096);
      assertThat(file.seekHole(40 * 4096)).isEqualTo(-1);
      file.allocate(Constants.FALLOC_FL_PUNCH_HOLE | Constants.FALLOC_FL_KEEP_SIZE, 8 * 4096, 4096);
      assertThat(file.seekData(0)).isEqualTo(-1);
      assertThat(file.stat().sizeBytes()).isEqualTo(40 * 4096);
    }
  }

  @Test
  void sealsAreSetAndRead() {
    try (FileDescriptor file = FileDescriptor.memfd("sealed", MFD_ALLOW_SEALING)) {
      file.fcntl(F_ADD_SEALS, 2);
      assertThat(file.fcntl(F_GET_SEALS, 0)).isEqualTo(2);
    }
  }

  @Test
  void aReleasedDescriptorStaysOpen() {
    FileDescriptor file = FileDescriptor.memfd("m", 0);
    int number = file.release();
    file.close();
    try (FileDescriptor again = FileDescriptor.own(number, "again")) {
      assertThat(again.stat().isRegular()).isTrue();
    }
    assertThatThrownBy(file::number).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void linksAreReadAndNotFollowedWhenAsked() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("/usr/bin/no such target"));
    assertThat(FileDescriptor.readLink(link.toString())).isEqualTo("/usr/bin/no such target");
    assertThat(Stat.ofLink(link.toString()).type()).isEqualTo(Constants.S_IFLNK);
    try (FileDescriptor root = FileDescriptor.open(directory.toString(), O_PATH)) {
      assertThat(root.stat().isDirectory()).isTrue();
      assertThatThrownBy(() -> root.openAt("missing", O_RDONLY, 0)).hasMessageContaining("ENOENT");
    }
  }

  @Test
  void theStatusSaysHowTheFileWasOpened() {
    try (FileDescriptor file = FileDescriptor.open(directory + "/f", O_RDWR | O_CREAT | O_APPEND)) {
      ProcFdInfo info = ProcFdInfo.read(Kernel.pid(), file.number());
      assertThat(info.flags() & (O_RDWR | O_APPEND)).isEqualTo(O_RDWR | O_APPEND);
      assertThat(info.closeOnExec()).isTrue();
      assertThat(info.positionBytes()).isZero();
      assertThat((long) info.mountId()).isEqualTo(file.stat().mountId());
      assertThat(ProcFdInfo.target(Kernel.pid(), file.number())).isEqualTo(directory + "/f");
      assertThat(ProcFdInfo.openDescriptors(Kernel.pid())).contains(file.number()).isSorted();
    }
  }

  @Test
  void pagesGoThroughPipesBySpliceAndTee() {
    try (Pipe first = Pipe.open(0);
        Pipe second = Pipe.open(0);
        FileDescriptor file = FileDescriptor.memfd("out", 0);
        Mapping source = Mapping.anonymous(4).touchAll()) {
      assertThat(first.capacityBytes(1 << 20)).isGreaterThanOrEqualTo(1 << 20);
      assertThat(Pipe.vmsplice(first.writeEnd(), source.address(), source.lengthBytes(), 0))
          .isEqualTo(source.lengthBytes());
      assertThat(first.availableBytes()).isEqualTo((int) source.lengthBytes());
      assertThat(Pipe.tee(first.readEnd(), second.writeEnd(), source.lengthBytes(), 0))
          .isEqualTo(source.lengthBytes());
      assertThat(Pipe.splice(first.readEnd(), file, source.lengthBytes(), 0)).isEqualTo(source.lengthBytes());
      assertThat(second.availableBytes()).isEqualTo((int) source.lengthBytes());
      assertThat(first.availableBytes()).isZero();
      try (NativeBuffer buffer = NativeBuffer.allocate(4096)) {
        file.pread(buffer.address(), 4096, 3 * 4096);
        assertThat(buffer.bytes().get(0)).isEqualTo((byte) 4);
      }
    }
  }
}
