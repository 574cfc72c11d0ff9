package io.pagelift.restorer.thread;

import static io.pagelift.linux.Constants.PR_GET_SECUREBITS;

import io.pagelift.image.Credentials;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.SyscallNumbers;
import java.util.ArrayList;
import java.util.List;

/**
 * What the restorer has itself, and with it every process that it makes until that gets its own.
 *
 * @param users real, effective, saved, file system
 * @param groups the same of groups
 * @param supplementary ascending as the kernel lists them
 */
public record OwnCredentials(
    List<Long> users,
    List<Long> groups,
    List<Long> supplementary,
    long inheritable,
    long permitted,
    long effective,
    long bounding,
    long ambient,
    int securebits) {

  /** Copies its lists. */
  public OwnCredentials {
    users = List.copyOf(users);
    groups = List.copyOf(groups);
    supplementary = List.copyOf(supplementary);
  }

  /** Reads them. */
  public static OwnCredentials read() {
    ProcStatus status = ProcStatus.read(Kernel.pid());
    long securebits = Kernel.check(Kernel.call(SyscallNumbers.PRCTL, PR_GET_SECUREBITS, 0, 0, 0, 0), "prctl", "");
    return new OwnCredentials(
        status.numbers("Uid"),
        status.numbers("Gid"),
        status.numbers("Groups"),
        status.mask("CapInh"),
        status.mask("CapPrm"),
        status.mask("CapEff"),
        status.mask("CapBnd"),
        status.mask("CapAmb"),
        (int) securebits);
  }

  /** Whether a thread of the image has the same, so that nothing is to be done. */
  boolean same(Credentials wanted) {
    List<Long> wantedGroups = new ArrayList<>();
    wanted.getGroupsList().forEach(group -> wantedGroups.add(Integer.toUnsignedLong(group)));
    return users.equals(unsigned(wanted.getRealUid(), wanted.getEffectiveUid(), wanted.getSavedUid(), wanted.getFsUid()))
        && groups.equals(unsigned(wanted.getRealGid(), wanted.getEffectiveGid(), wanted.getSavedGid(), wanted.getFsGid()))
        && supplementary.equals(wantedGroups)
        && inheritable == wanted.getCapInheritable()
        && permitted == wanted.getCapPermitted()
        && effective == wanted.getCapEffective()
        && bounding == wanted.getCapBounding()
        && ambient == wanted.getCapAmbient()
        && securebits == wanted.getSecurebits();
  }

  private static List<Long> unsigned(int... ids) {
    List<Long> list = new ArrayList<>();
    for (int id : ids) {
      list.add(Integer.toUnsignedLong(id));
    }
    return list;
  }
}
