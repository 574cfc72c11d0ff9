package io.pagelift.restorer.file;

import static io.pagelift.linux.Constants.S_IFMT;

import io.pagelift.image.Device;
import io.pagelift.image.OpenFile;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Stat;

/** Device nodes, such as /dev/null: the same kind and number must be here under the same name. */
final class DeviceRebuilder implements FileRebuilder {
  @Override
  public String kind() {
    return "device";
  }

  @Override
  public void check(OpenFile file) {
    Device device = Reopen.state(file, Device.parser());
    if (device.getGhostId() != 0) {
      return;
    }
    String path = PathText.of(device.getPath());
    Stat stat = FileChecks.existing(path);
    boolean same =
        stat.type() == (device.getMode() & S_IFMT)
            && stat.rdevMajor() == device.getMajor()
            && stat.rdevMinor() == device.getMinor();
    if (!same) {
      throw Reopen.refused(
          path
              + " is not the device "
              + device.getMajor()
              + ":"
              + device.getMinor()
              + " here, as it was at the source; make the node.");
    }
  }

  @Override
  public FileDescriptor rebuild(OpenFile file, FileContext context) {
    // Without a position: to a device it means nothing or something else.
    OpenFile unmoved = file.toBuilder().setPosition(0).build();
    Device device = Reopen.state(file, Device.parser());
    return Reopen.file(device.getGhostId(), PathText.of(device.getPath()), unmoved, context);
  }
}
