package io.pagelift.restorer.thread;

import static io.pagelift.linux.Constants.PR_CAPBSET_DROP;
import static io.pagelift.linux.Constants.PR_CAP_AMBIENT;
import static io.pagelift.linux.Constants.PR_CAP_AMBIENT_RAISE;
import static io.pagelift.linux.Constants.PR_SET_NO_NEW_PRIVS;
import static io.pagelift.linux.Constants.PR_SET_SECUREBITS;

import io.pagelift.image.Credentials;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.restorer.remote.RemoteCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Users, groups, capabilities, securebits and no_new_privs of a thread: the last thing that it gets, because everything before
 * needs the restorer's rights.
 *
 * <p>The order is the only one that works: the bit that keeps capabilities across a change of user first, then groups, users,
 * the bounding set, the capabilities with CAP_SETPCAP still among them, the ambient set, the final securebits (which need it), and
 * at last the capabilities as they shall be.
 */
final class CredentialsBuilder {
  private static final int SECBIT_NO_SETUID_FIXUP = 1 << 2;
  private static final int SECBIT_KEEP_CAPS = 1 << 4;
  private static final long CAP_SETPCAP = 1L << 8;
  private static final int PR_CAP_AMBIENT_CLEAR_ALL = 4;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;

  private CredentialsBuilder() {}

  /**
   * Queues the calls.
   *
   * @param own the credentials that the thread has now
   */
  static void build(RemoteCalls calls, Credentials wanted, OwnCredentials own) {
    if (own.same(wanted)) {
      noNewPrivileges(calls, wanted);
      return;
    }
    calls.add(
        "keep capabilities", SyscallNumbers.PRCTL, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS, 0, 0, 0);
    groups(calls, wanted);
    calls.add("set groups", SyscallNumbers.SETRESGID, wanted.getRealGid(), wanted.getEffectiveGid(), wanted.getSavedGid());
    calls.add("set the file system group", SyscallNumbers.SETFSGID, wanted.getFsGid());
    calls.add("set users", SyscallNumbers.SETRESUID, wanted.getRealUid(), wanted.getEffectiveUid(), wanted.getSavedUid());
    calls.add("set the file system user", SyscallNumbers.SETFSUID, wanted.getFsUid());
    long dropped = own.bounding() & ~wanted.getCapBounding();
    for (int capability = 0; capability < Long.SIZE; capability++) {
      if ((dropped >>> capability & 1) != 0) {
        calls.add("drop capability " + capability, SyscallNumbers.PRCTL, PR_CAPBSET_DROP, capability, 0, 0, 0);
      }
    }
    long meanwhile = wanted.getCapPermitted() | (own.permitted() & CAP_SETPCAP);
    capset(calls, meanwhile, meanwhile, wanted.getCapInheritable());
    calls.add("clear ambient capabilities", SyscallNumbers.PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; capability < Long.SIZE; capability++) {
      if ((wanted.getCapAmbient() >>> capability & 1) != 0) {
        calls.add(
            "raise ambient capability " + capability,
            SyscallNumbers.PRCTL,
            PR_CAP_AMBIENT,
            PR_CAP_AMBIENT_RAISE,
            capability,
            0,
            0);
      }
    }
    calls.add("set securebits", SyscallNumbers.PRCTL, PR_SET_SECUREBITS, wanted.getSecurebits(), 0, 0, 0);
    capset(calls, wanted.getCapPermitted(), wanted.getCapEffective(), wanted.getCapInheritable());
    noNewPrivileges(calls, wanted);
  }

  private static void noNewPrivileges(RemoteCalls calls, Credentials wanted) {
    if (wanted.getNoNewPrivs()) {
      calls.add("give up new privileges", SyscallNumbers.PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
  }

  private static void groups(RemoteCalls calls, Credentials wanted) {
    ByteBuffer groups = ByteBuffer.allocate(Math.max(1, wanted.getGroupsCount()) * Integer.BYTES);
    groups.order(ByteOrder.nativeOrder());
    wanted.getGroupsList().forEach(groups::putInt);
    calls.add("set supplementary groups", SyscallNumbers.SETGROUPS, wanted.getGroupsCount(), calls.data(groups.array()));
  }

  /** capset(2), version 3: header {version, pid 0}, then {effective, permitted, inheritable} for each half. */
  private static void capset(RemoteCalls calls, long permitted, long effective, long inheritable) {
    ByteBuffer data = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
    data.putInt(CAPABILITY_VERSION_3).putInt(0);
    for (int half = 0; half < 2; half++) {
      int shift = half * Integer.SIZE;
      data.putInt((int) (effective >>> shift)).putInt((int) (permitted >>> shift)).putInt((int) (inheritable >>> shift));
    }
    long address = calls.data(data.array());
    calls.add("set capabilities", SyscallNumbers.CAPSET, address, address + 8);
  }
}
