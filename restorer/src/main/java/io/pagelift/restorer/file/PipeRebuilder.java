package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.F_SETFL;
import static io.pagelift.linux.Constants.F_SETPIPE_SZ;
import static io.pagelift.linux.Constants.O_DIRECT;
import static io.pagelift.linux.Constants.O_NONBLOCK;
import static io.pagelift.linux.Constants.O_PATH;
import static io.pagelift.linux.Constants.O_RDWR;
import static io.pagelift.linux.Constants.S_IFIFO;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.OpenFile;
import io.pagelift.image.Pipe;
import io.pagelift.image.PipeChunk;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.KernelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pipes and FIFOs with what is in them. The restorer makes each pipe once and keeps both ends open until the end, so that none
 * of them sees an end of file meanwhile; an end that nobody had at the source is gone when the restorer closes its own.
 */
final class PipeRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "pipe";
  }

  @Override
  public void check(OpenFile file) {
    Pipe pipe = Reopen.state(file, Pipe.parser());
    if (!pipe.getFifoPath().isEmpty()) {
      checkName(pipe);
    }
    long chunks = pipe.getChunksList().stream().mapToLong(PipeChunk::getLengthBytes).sum();
    if (pipe.getChunksCount() != 0 && chunks != pipe.getBuffered().size()) {
      throw new PageliftException(
          ErrorCategory.CORRUPT,
          "The packets of pipe " + pipe.getPipeId() + " in the image do not add up to what is in it.");
    }
  }

  private static void checkName(Pipe pipe) {
    String path = PathText.of(pipe.getFifoPath());
    if (pipe.getUnlinked()) {
      String directory = NamedPipes.directoryOf(path);
      if (!FileChecks.existing(directory).isDirectory()) {
        throw Reopen.refused(directory + ", where the unlinked FIFO " + path + " lay, is no directory here; make it.");
      }
    } else if (FileChecks.existing(path).type() != S_IFIFO) {
      throw Reopen.refused(path + " is not a FIFO here; make one with mkfifo.");
    }
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    Pipe pipe = Reopen.state(file, Pipe.parser());
    FileDescriptor both =
        context.once("pipe " + pipe.getPipeId(), FileDescriptor.class, () -> make(pipe, context));
    if ((file.getFlags() & O_PATH) != 0) {
      return Reopen.again(both, file);
    }
    // Opening a pipe with O_DIRECT is refused; setting it (packet mode) is not. Opening without O_NONBLOCK may wait for the other end.
    int flags = (file.getFlags() & ~O_DIRECT) | O_NONBLOCK;
    FileDescriptor end = Reopen.again(both, file.toBuilder().setFlags(flags).setPosition(0).build());
    end.fcntl(F_SETFL, file.getFlags() & (O_NONBLOCK | O_DIRECT));
    return end;
  }

  /**
   * One description open for both directions: opening the ends through it never waits for the other side. A FIFO that no writer has
   * opened must not see one here either, or its reader would be told of a hang-up.
   */
  private static FileDescriptor make(Pipe pipe, FileContext context) {
    List<Pipe> ends = new ArrayList<>();
    for (OpenFile other : context.openFiles()) {
      if (other.getKind().equals("pipe")) {
        Pipe candidate = Reopen.state(other, Pipe.parser());
        if (candidate.getPipeId() == pipe.getPipeId()) {
          ends.add(candidate);
        }
      }
    }
    boolean neverWritten = ends.stream().anyMatch(Pipe::getNeverWritten);
    FileDescriptor both = pipe.getFifoPath().isEmpty() ? anonymous() : NamedPipes.open(pipe, neverWritten);
    ends.stream().filter(Pipe::getHasBuffer).forEach(end -> fill(both, end));
    return both;
  }

  private static FileDescriptor anonymous() {
    try (io.pagelift.linux.Pipe made = io.pagelift.linux.Pipe.open(0)) {
      return FileDescriptor.open("/proc/self/fd/" + made.readEnd().number(), O_RDWR | O_NONBLOCK);
    }
  }

  private static void fill(FileDescriptor both, Pipe pipe) {
    if (pipe.getCapacityBytes() > 0) {
      try {
        both.fcntl(F_SETPIPE_SZ, pipe.getCapacityBytes());
      } catch (KernelException e) {
        throw Reopen.refused(
            "A pipe of "
                + pipe.getCapacityBytes()
                + " bytes can't be made here ("
                + e.errnoName()
                + "); raise /proc/sys/fs/pipe-max-size or pipe-user-pages-soft.");
      }
    }
    byte[] bytes = pipe.getBuffered().toByteArray();
    try {
      if (pipe.getChunksCount() == 0) {
        both.writeFully(bytes);
        return;
      }
      int at = 0;
      for (PipeChunk chunk : pipe.getChunksList()) {
        both.fcntl(F_SETFL, chunk.getPacket() ? O_NONBLOCK | O_DIRECT : O_NONBLOCK);
        both.writeFully(Arrays.copyOfRange(bytes, at, at + chunk.getLengthBytes()));
        at += chunk.getLengthBytes();
      }
    } catch (KernelException e) {
      if (e.errno() == Errno.EAGAIN) {
        throw Reopen.refused(
            "What pipe " + pipe.getPipeId() + " holds does not fit into a new pipe of " + pipe.getCapacityBytes() + " bytes.");
      }
      throw e;
    }
  }
}
