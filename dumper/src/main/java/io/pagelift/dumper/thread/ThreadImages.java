package io.pagelift.dumper.thread;

import com.google.protobuf.ByteString;
import io.pagelift.dumper.freeze.SleepSamples;
import io.pagelift.image.AlternateStack;
import io.pagelift.image.Credentials;
import io.pagelift.image.InterruptedCall;
import io.pagelift.image.QueuedSignal;
import io.pagelift.image.Rseq;
import io.pagelift.image.Scheduling;
import io.pagelift.image.ThreadImage;
import io.pagelift.linux.ProcStatus;
import io.pagelift.linux.SchedAttributes;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes the image of a thread out of what was read of it. */
public final class ThreadImages {
  private static final int SCHED_DEADLINE = 6;

  private ThreadImages() {}

  /**
   * The image of one thread.
   *
   * @param samples what was seen before the freeze
   * @param frozenMonotonicNanos when the freeze was
   * @param onlineProcessors how many processors this machine runs
   */
  public static ThreadImage of(
      ThreadReading reading, SleepSamples samples, long frozenMonotonicNanos, int onlineProcessors) {
    InjectedThread injected = reading.injected();
    ProcStatus status = reading.status();
    ThreadImage.Builder image =
        ThreadImage.newBuilder()
            .setTid(reading.tid())
            .setExtendedState(ByteString.copyFrom(reading.extendedState()))
            .setSignalMask(reading.signalMask())
            .setAlternateStack(
                AlternateStack.newBuilder()
                    .setAddress(injected.stackAddress())
                    .setFlags(injected.stackFlags())
                    .setSizeBytes(injected.stackBytes()))
            .addAllPending(queued(reading.pending()))
            .setRobustListHead(reading.robustList().head())
            .setRobustListBytes(reading.robustList().lengthBytes())
            .setClearChildTid(injected.clearChildTid())
            .setRseq(
                Rseq.newBuilder()
                    .setAddress(reading.rseq().address())
                    .setLengthBytes(reading.rseq().lengthBytes())
                    .setSignature(reading.rseq().signature())
                    .setFlags(reading.rseq().flags()))
            .setComm(comm(reading.rawComm()))
            .setCredentials(credentials(status, injected.securebits()))
            .setScheduling(scheduling(reading, onlineProcessors))
            .setParentDeathSignal(injected.parentDeathSignal());
    if (injected.memoryPolicy() != null) {
      image.setMemoryPolicy(injected.memoryPolicy());
    }
    if (!reading.timerSlack().isEmpty()) {
      image.setTimerSlackNanos(Long.parseLong(reading.timerSlack()));
    }
    setRegisters(image, reading, sample(samples, reading.tid(), status), frozenMonotonicNanos);
    return image.build();
  }

  /** Queued signals, in order. */
  public static List<QueuedSignal> queued(List<byte[]> signals) {
    return signals.stream()
        .map(information -> QueuedSignal.newBuilder().setSiginfo(ByteString.copyFrom(information)).build())
        .toList();
  }

  private static void setRegisters(
      ThreadImage.Builder image, ThreadReading reading, SleepSamples.@Nullable Sample sample, long frozenMonotonicNanos) {
    InterruptedSleep sleep = reading.interruptedSleep();
    if (sleep == null) {
      image.setGeneralRegisters(ByteString.copyFrom(reading.registers().bytes()));
    } else {
      InterruptedCall call = sleep.image(sample, frozenMonotonicNanos);
      image.setInterruptedCall(call);
      // Where an earlier freeze left restart_syscall in it, the registers get the call's own number back.
      image.setGeneralRegisters(ByteString.copyFrom(reading.registers().copy().setOrigRax(call.getNumber()).bytes()));
    }
  }

  /** The sample, if the thread went to sleep only once since, which is our stop. */
  private static SleepSamples.@Nullable Sample sample(SleepSamples samples, int tid, ProcStatus status) {
    SleepSamples.Sample sample = samples.of(tid);
    return sample != null && status.number("voluntary_ctxt_switches") == sample.voluntarySwitches() + 1 ? sample : null;
  }

  /** Without the line feed that /proc adds. */
  private static ByteString comm(byte[] raw) {
    return ByteString.copyFrom(raw, 0, Math.max(0, raw.length - 1));
  }

  private static Credentials credentials(ProcStatus status, int securebits) {
    List<Long> uids = status.uids();
    List<Long> gids = status.gids();
    Credentials.Builder credentials =
        Credentials.newBuilder()
            .setRealUid(uids.get(0).intValue())
            .setEffectiveUid(uids.get(1).intValue())
            .setSavedUid(uids.get(2).intValue())
            .setFsUid(uids.get(3).intValue())
            .setRealGid(gids.get(0).intValue())
            .setEffectiveGid(gids.get(1).intValue())
            .setSavedGid(gids.get(2).intValue())
            .setFsGid(gids.get(3).intValue())
            .setCapInheritable(status.mask("CapInh"))
            .setCapPermitted(status.mask("CapPrm"))
            .setCapEffective(status.mask("CapEff"))
            .setCapBounding(status.mask("CapBnd"))
            .setCapAmbient(status.mask("CapAmb"))
            .setSecurebits(securebits)
            .setNoNewPrivs(status.noNewPrivileges());
    status.groups().forEach(group -> credentials.addGroups(group.intValue()));
    return credentials.build();
  }

  private static Scheduling scheduling(ThreadReading reading, int onlineProcessors) {
    SchedAttributes attributes = reading.scheduling();
    boolean deadline = attributes.policy() == SCHED_DEADLINE;
    // A thread that may run everywhere may do so at the destination too, however many processors that has.
    boolean anywhere = BitSet.valueOf(reading.affinity()).cardinality() == onlineProcessors;
    return Scheduling.newBuilder()
        .setPolicy(attributes.policy())
        .setFlags(attributes.flags())
        .setNice(attributes.nice())
        .setPriority(attributes.priority())
        // For other policies this is the kernel's own time slice, since Linux 6.12.
        .setDeadlineRuntimeNanos(deadline ? attributes.runtimeNanos() : 0)
        .setDeadlineNanos(attributes.deadlineNanos())
        .setDeadlinePeriodNanos(attributes.periodNanos())
        .setAffinity(anywhere ? ByteString.EMPTY : ByteString.copyFrom(reading.affinity()))
        .setIoPriority(reading.ioPriority())
        .build();
  }
}
