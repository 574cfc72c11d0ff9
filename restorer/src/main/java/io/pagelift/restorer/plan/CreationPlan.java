package io.pagelift.restorer.plan;

import io.pagelift.common.ErrorCategory;
import io.pagelift.common.PageliftException;
import io.pagelift.image.ProcessImage;
import io.pagelift.image.TreeImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The order in which the processes of a tree are created.
 *
 * <p>A process gets its parent and its session from whoever clones it, and neither can be chosen later: {@code setsid} only
 * makes a <em>new</em> session. So a child that is still in the session its parent was born into must be cloned before the
 * parent calls {@code setsid}, and one that is in the parent's own session after it. Each process therefore <em>wants</em> to
 * be born in a certain session: its own if it leads none, else whatever its children that do not live in its own session
 * want, else any.
 *
 * <p>A child whose session is neither of its parent's two was adopted: the process that cloned it is gone. If a sibling lives
 * in the wanted session, that sibling clones it with {@code CLONE_PARENT}.
 *
 * <p>Groups can be joined at any time by the process itself, so they come last. A group whose leader is gone still has the
 * leader's number: a temporary process takes that number, founds the group and exits when all members have joined.
 *
 * <p>If the root's session or group lies outside of the tree, the number that names it in the image stands for the restorer's own.
 */
public final class CreationPlan {
  private final Map<Integer, ProcessImage> processes = new LinkedHashMap<>();
  private final Map<Integer, List<Integer>> children = new HashMap<>();
  private final Map<Integer, Integer> wantedSession = new HashMap<>();
  private final int root;
  private final int outerSession;
  private final int outerGroup;
  private final List<CreationStep> steps = new ArrayList<>();

  private CreationPlan(TreeImage image) {
    for (ProcessImage process : image.getProcessesList()) {
      processes.put(process.getPid(), process);
      children.computeIfAbsent(process.getParentPid(), parent -> new ArrayList<>()).add(process.getPid());
    }
    root = image.getRootPid();
    ProcessImage top = processes.get(root);
    outerSession = processes.containsKey(top.getSession()) ? -1 : top.getSession();
    outerGroup = processes.containsKey(top.getProcessGroup()) ? -1 : top.getProcessGroup();
  }

  /**
   * Plans the creation of a checked image's processes.
   *
   * @throws PageliftException REFUSED if no order of creation gives every process its parent and session
   */
  public static List<CreationStep> of(TreeImage image) {
    CreationPlan plan = new CreationPlan(image);
    plan.want(plan.root);
    plan.create(plan.root, 0, false);
    plan.joinGroups();
    return List.copyOf(plan.steps);
  }

  private boolean leadsSession(int pid) {
    return session(pid) == pid;
  }

  private int session(int pid) {
    return processes.get(pid).getSession();
  }

  private List<Integer> childrenOf(int pid) {
    return children.getOrDefault(pid, List.of());
  }

  /** Works out the session in which a process and all below it want to be born; 0: any. */
  private int want(int pid) {
    int wanted = leadsSession(pid) ? 0 : session(pid);
    for (int child : childrenOf(pid)) {
      int childWants = want(child);
      // The root is born in the restorer's session: if it leads one of its own it can pass on no other.
      if (pid != root && leadsSession(pid) && wanted == 0 && childWants != pid && !bornBySibling(child)) {
        wanted = childWants;
      }
    }
    wantedSession.put(pid, wanted);
    return wanted;
  }

  /** Whether a sibling leads the session that this process lives in, so that the sibling can clone it. */
  private boolean bornBySibling(int pid) {
    ProcessImage leader = processes.get(session(pid));
    return leader != null && leader.getPid() != pid && leader.getParentPid() == processes.get(pid).getParentPid();
  }

  private void create(int pid, int creator, boolean sibling) {
    steps.add(new CreationStep.Create(pid, creator, sibling || creator == 0, false));
    List<Integer> later = new ArrayList<>();
    for (int child : childrenOf(pid)) {
      int wanted = wantedSession.get(child);
      if (leadsSession(pid) && wanted != 0 && wanted != pid && wanted == wantedSession.get(pid)) {
        create(child, pid, false);
      } else {
        later.add(child);
      }
    }
    if (leadsSession(pid)) {
      steps.add(new CreationStep.NewSession(pid));
    }
    List<Integer> adopted = new ArrayList<>();
    for (int child : later) {
      int wanted = wantedSession.get(child);
      if (wanted == 0 || wanted == session(pid)) {
        create(child, pid, false);
      } else {
        adopted.add(child);
      }
    }
    adopted.forEach(child -> createFromSibling(child, pid));
  }

  private void createFromSibling(int pid, int parent) {
    int wanted = wantedSession.get(pid);
    for (int sibling : childrenOf(parent)) {
      if (sibling != pid && session(sibling) == wanted && created(sibling)) {
        create(pid, sibling, true);
        return;
      }
    }
    throw new PageliftException(
        ErrorCategory.REFUSED,
        "Process "
            + pid
            + " was adopted by process "
            + parent
            + " and lives in session "
            + wanted
            + ", which no process beside it is in, so it can't be rebuilt there; end it before the dump.");
  }

  private boolean created(int pid) {
    return steps.stream().anyMatch(step -> step instanceof CreationStep.Create && step.pid() == pid);
  }

  private void joinGroups() {
    Map<Integer, List<Integer>> members = new LinkedHashMap<>();
    Set<Integer> founded = new HashSet<>();
    for (ProcessImage process : processes.values()) {
      int pid = process.getPid();
      int group = process.getProcessGroup();
      if (leadsSession(pid) || (group == outerGroup && process.getSession() == outerSession)) {
        continue;
      }
      if (group == pid) {
        steps.add(new CreationStep.JoinGroup(pid, pid));
        founded.add(pid);
      } else {
        members.computeIfAbsent(group, any -> new ArrayList<>()).add(pid);
      }
    }
    members.forEach((group, pids) -> joinGroup(group, pids, founded));
  }

  private void joinGroup(int group, List<Integer> pids, Set<Integer> founded) {
    boolean leaderGone = !processes.containsKey(group);
    if (!leaderGone && !founded.contains(group) && !leadsSession(group)) {
      throw new PageliftException(
          ErrorCategory.REFUSED,
          "Process "
              + pids.get(0)
              + " is in process group "
              + group
              + ", which the process of that number has left, so the group can't be founded again; end it before the dump.");
    }
    int stand = pids.get(0);
    if (leaderGone) {
      steps.add(new CreationStep.Create(group, stand, false, true));
      steps.add(new CreationStep.JoinGroup(group, group));
    }
    pids.forEach(pid -> steps.add(new CreationStep.JoinGroup(pid, group)));
    if (leaderGone) {
      steps.add(new CreationStep.End(group, stand));
    }
  }
}
