package io.pagelift.dumper.round;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.linux.Constants;
import io.pagelift.linux.Errno;
import io.pagelift.linux.FileDescriptor;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcTree;
import io.pagelift.linux.SyscallNumbers;
import io.pagelift.linux.stub.TrackerHolder;
import io.pagelift.wire.proto.MigrationOpened;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Decides whether dirty tracking went on unbroken since the last committed round.
 *
 * <p>It did for a process if a holder still has its userfaultfd and the holder's record names the token and the number of the last
 * round that the server committed, and says that no later scan took dirty bits away. Everything else means: nothing is known
 * about what was written, so everything is sent. If it holds for no process at all, a new token is drawn.
 */
final class Continuity implements AutoCloseable {
  private static final int RECORD_INDEX = 0;
  private static final int USERFAULTFD_INDEX = 1;
  private static final int LOCK_EXCLUSIVE_NONBLOCKING = 2 | 4;

  private final String token;
  private final boolean continued;
  private final Map<Integer, Kept> kept;
  private final List<FileDescriptor> locks;
  private final String explanation;

  /**
   * What a holder kept of one process.
   *
   * @param unbroken whether its dirty bits tell everything that was written since the last committed round
   */
  record Kept(TrackerHolder holder, FileDescriptor record, FileDescriptor userFault, boolean unbroken) {}

  private Continuity(
      String token, boolean continued, Map<Integer, Kept> kept, List<FileDescriptor> locks, String explanation) {
    this.token = token;
    this.continued = continued;
    this.kept = kept;
    this.locks = locks;
    this.explanation = explanation;
  }

  /** Nothing is known of earlier rounds. */
  static Continuity none(MigrationOpened opened) {
    String why = opened.getLastRound() > 0 ? "This tracker keeps nothing between commands: everything is sent again." : "";
    return new Continuity(UUID.randomUUID().toString(), false, new HashMap<>(), new ArrayList<>(), why);
  }

  /**
   * Looks for holders of these processes.
   *
   * @throws PageliftException REFUSED when another dumper is at work on one of them
   */
  static Continuity find(List<Integer> pids, MigrationOpened opened) {
    Map<Integer, Kept> kept = new HashMap<>();
    List<FileDescriptor> locks = new ArrayList<>();
    boolean continued = false;
    String reason = "no tracking is left of them";
    for (int pid : pids) {
      Optional<TrackerHolder> holder = holder(pid);
      if (holder.isPresent()) {
        try {
          FileDescriptor file = holder.get().fetch(RECORD_INDEX);
          locks.add(lock(pid, file));
          Optional<TrackingRecord> record = TrackingRecord.read(file);
          String broken = broken(record, opened);
          kept.put(pid, new Kept(holder.get(), file, holder.get().fetch(USERFAULTFD_INDEX), broken.isEmpty()));
          continued |= broken.isEmpty();
          reason = broken.isEmpty() ? reason : broken;
        } catch (KernelException gone) {
          if (!gone.processGone()) {
            throw gone;
          }
        }
      }
    }
    String token = continued ? opened.getTrackingToken() : UUID.randomUUID().toString();
    return new Continuity(token, continued, kept, locks, explain(opened, continued, reason));
  }

  private static String explain(MigrationOpened opened, boolean continued, String reason) {
    if (opened.getLastRound() == 0) {
      return "";
    }
    return continued
        ? "Going on from round " + opened.getLastRound() + "."
        : "Earlier rounds do not count (" + reason + "): everything is sent again.";
  }

  private static Optional<TrackerHolder> holder(int pid) {
    try {
      return TrackerHolder.find(pid, ProcTree.startTimeTicks(pid));
    } catch (KernelException failure) {
      if (failure.processGone()) {
        return Optional.empty();
      }
      throw failure;
    }
  }

  /** Why the record does not continue the server's last round; empty if it does. */
  private static String broken(Optional<TrackingRecord> found, MigrationOpened opened) {
    if (found.isEmpty()) {
      return "the tracking record is damaged";
    }
    TrackingRecord record = found.get();
    if (opened.getComplete()) {
      return "the last round was a complete dump";
    }
    if (!record.token().equals(opened.getTrackingToken())) {
      return "writes were tracked for another migration meanwhile";
    }
    if (record.state() != TrackingRecord.State.COMMITTED || record.round() != opened.getLastRound()) {
      return "a later round was begun and not committed";
    }
    return "";
  }

  /**
   * Two dumpers that share a userfaultfd would hide writes from each other. The lock is on an open file description of our own, and
   * ends with it.
   */
  private static FileDescriptor lock(int pid, FileDescriptor record) {
    FileDescriptor own = FileDescriptor.open("/proc/self/fd/" + record.number(), Constants.O_RDWR);
    long result = Kernel.call(SyscallNumbers.FLOCK, own.number(), LOCK_EXCLUSIVE_NONBLOCKING);
    if (result == -Errno.EAGAIN) {
      own.close();
      throw new PageliftException(
          ErrorCategory.REFUSED, "Another dumper is at work on process " + pid + "; wait for it or end it.");
    }
    Kernel.check(result, "flock", "tracking record of process " + pid);
    return own;
  }

  /** Locks the record of a process whose tracking has just begun. */
  void lockNew(int pid, FileDescriptor record) {
    locks.add(lock(pid, record));
  }

  /** The token of this run of tracking. */
  String token() {
    return token;
  }

  /** Whether anything that the server holds still counts. */
  boolean continued() {
    return continued;
  }

  /** One sentence for the user; empty when there were no earlier rounds. */
  String explanation() {
    return explanation;
  }

  /** Takes what was kept of a process, once; the caller closes it. */
  Optional<Kept> take(int pid) {
    return Optional.ofNullable(kept.remove(pid));
  }

  @Override
  public void close() {
    for (Kept left : kept.values()) {
      left.record().close();
      left.userFault().close();
    }
    locks.forEach(FileDescriptor::close);
  }
}
