package io.pagelift.dumper.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.linux.FileDescriptor;
import org.junit.jupiter.api.Test;

class TrackingRecordTest {
  @Test
  void aLaterRecordReplacesAnEarlierOne() {
    try (FileDescriptor file = TrackingRecord.newFile()) {
      new TrackingRecord("a-long-token-of-thirty-six-characters", 3, TrackingRecord.State.COMMITTED).write(file);
      TrackingRecord last = new TrackingRecord("short", 4, TrackingRecord.State.SCANNING);
      last.write(file);
      assertThat(TrackingRecord.read(file)).contains(last);
    }
  }

  @Test
  void anEmptyOrDamagedFileIsNoRecord() {
    try (FileDescriptor file = TrackingRecord.newFile()) {
      assertThat(TrackingRecord.read(file)).isEmpty();
      file.writeFully(new byte[TrackingRecord.LENGTH_BYTES]);
      assertThat(TrackingRecord.read(file)).isEmpty();
    }
  }
}
