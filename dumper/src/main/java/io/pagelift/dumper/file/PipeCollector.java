package io.pagelift.dumper.file;

import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.dumper.facts.FileStat;
import io.pagelift.dumper.facts.PathBytes;
import io.pagelift.image.Pipe;
import io.pagelift.linux.Constants;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Pipes, pipe(7), with a name (fifo(7)) or without.
 *
 * <p>Both ends must be in the tree, or one of them closed for good. What is buffered is read without consuming it: tee(2)
 * links the buffers into a pipe of ours. The draft with the smallest id among those of one pipe carries the buffer.
 */
final class PipeCollector implements FileCollector {
  @Override
  public String kind() {
    return "pipe";
  }

  @Override
  public boolean recognises(DescriptorFacts facts) {
    return facts.stat().kind() == Constants.S_IFIFO;
  }

  private static boolean named(DescriptorFacts facts) {
    return facts.link().startsWith("/");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if (named(facts)) {
      PathChecks.inspect(facts, inspection);
    }
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    // What was opened with O_PATH is no end.
    List<OpenFileDraft> ends = files.sameInode(file).stream().filter(end -> end.copy() >= 0).toList();
    if (ends.isEmpty() || ends.get(0) != file) {
      return;
    }
    OpenFileDraft reader = first(ends, Constants.O_WRONLY);
    OpenFileDraft writer = first(ends, Constants.O_RDONLY);
    boolean neverWritten = refuseOutsideEnd(reader, writer, files);
    int capacityBytes = PipeReads.capacityBytes(file.copy());
    boolean packets = ends.stream().anyMatch(end -> (end.facts().statusFlags() & Constants.O_DIRECT) != 0);
    PipeContents contents = reader == null ? PipeContents.EMPTY : PipeContents.read(reader.copy(), capacityBytes, packets);
    for (OpenFileDraft end : ends) {
      end.raw(new Reading(capacityBytes, end == file ? contents : null, neverWritten));
    }
  }

  /** The first end that was not opened in the given one-way mode. */
  private static @Nullable OpenFileDraft first(List<OpenFileDraft> ends, int excludedMode) {
    for (OpenFileDraft end : ends) {
      if ((end.facts().statusFlags() & Constants.O_ACCMODE) != excludedMode) {
        return end;
      }
    }
    return null;
  }

  /**
   * Refuses a pipe with an end outside.
   *
   * @return whether it is a FIFO that no writer has opened since it was opened for reading: poll(2) does not report POLLHUP then,
   *     so only a look at all processes tells whether there is a writer
   */
  private static boolean refuseOutsideEnd(
      @Nullable OpenFileDraft reader, @Nullable OpenFileDraft writer, FrozenFiles files) {
    boolean neverWritten = false;
    if (reader != null && writer == null && !PipeReads.writersGone(reader.copy())) {
      neverWritten = named(reader.facts()) && files.outsider(reader) == 0;
      if (!neverWritten) {
        refuse(reader.facts(), "its write end", files);
      }
    }
    if (writer != null && reader == null && !PipeReads.readersGone(writer.copy())) {
      refuse(writer.facts(), "its read end", files);
    }
    return neverWritten;
  }

  private static void refuse(DescriptorFacts facts, String end, FrozenFiles files) {
    files.refuse(
        facts.pid(),
        facts.object(),
        end + " is held by a process outside of the tree",
        "dump the tree that has both ends, or redirect to a file");
  }

  @Override
  public MessageLite state(OpenFileDraft file, FileReferences references) {
    FileStat stat = file.facts().stat();
    Pipe.Builder pipe = Pipe.newBuilder().setPipeId(stat.inode());
    if (named(file.facts())) {
      boolean unlinked = stat.linkCount() == 0;
      String link = file.facts().link();
      pipe.setFifoPath(PathBytes.of(unlinked ? PathPlace.name(link) : link))
          .setUnlinked(unlinked)
          .setMode(stat.mode())
          .setUid(stat.uid())
          .setGid(stat.gid());
    }
    if (file.raw() instanceof Reading reading) {
      pipe.setCapacityBytes(reading.capacityBytes).setNeverWritten(reading.neverWritten);
      if (reading.contents != null) {
        pipe.setHasBuffer(true)
            .setBuffered(reading.contents.bytes())
            .addAllChunks(reading.contents.chunks());
      }
    }
    return pipe.build();
  }

  private record Reading(int capacityBytes, @Nullable PipeContents contents, boolean neverWritten) {}
}
