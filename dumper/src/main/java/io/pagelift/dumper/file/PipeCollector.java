package io.pagelift.dumper.file;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.pagelift.dumper.facts.DescriptorFacts;
import io.pagelift.image.Pipe;
import io.pagelift.linux.Constants;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Anonymous pipes, pipe(7).
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
    return facts.stat().kind() == Constants.S_IFIFO && facts.link().startsWith("pipe:[");
  }

  @Override
  public void inspect(DescriptorFacts facts, FileInspection inspection) {
    if ((facts.statusFlags() & Constants.O_DIRECT) != 0) {
      inspection.refuse(facts, "pipes in packet mode are not carried yet", "use a pipe without O_DIRECT");
    }
  }

  @Override
  public void readFrozen(OpenFileDraft file, FrozenFiles files) {
    List<OpenFileDraft> ends = files.sameInode(file);
    if (ends.get(0) != file) {
      return;
    }
    OpenFileDraft reader = first(ends, Constants.O_WRONLY);
    OpenFileDraft writer = first(ends, Constants.O_RDONLY);
    refuseOutsideEnd(reader, writer, files);
    int capacityBytes = PipeReads.capacityBytes(file.copy());
    byte[] buffered = reader == null ? new byte[0] : PipeReads.buffered(reader.copy(), capacityBytes);
    for (OpenFileDraft end : ends) {
      end.raw(new Reading(capacityBytes, end == file ? buffered : null));
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

  private static void refuseOutsideEnd(
      @Nullable OpenFileDraft reader, @Nullable OpenFileDraft writer, FrozenFiles files) {
    if (reader != null && writer == null && !PipeReads.writersGone(reader.copy())) {
      refuse(reader.facts(), "its write end", files);
    }
    if (writer != null && reader == null && !PipeReads.readersGone(writer.copy())) {
      refuse(writer.facts(), "its read end", files);
    }
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
    Pipe.Builder pipe = Pipe.newBuilder().setPipeId(file.facts().stat().inode());
    if (file.raw() instanceof Reading reading) {
      pipe.setCapacityBytes(reading.capacityBytes);
      if (reading.buffered != null) {
        pipe.setHasBuffer(true).setBuffered(ByteString.copyFrom(reading.buffered));
      }
    }
    return pipe.build();
  }

  private static final class Reading {
    final int capacityBytes;
    final byte @Nullable [] buffered;

    Reading(int capacityBytes, byte @Nullable [] buffered) {
      this.capacityBytes = capacityBytes;
      this.buffered = buffered;
    }
  }
}
