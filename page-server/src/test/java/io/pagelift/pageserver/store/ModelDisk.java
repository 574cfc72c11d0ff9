package io.pagelift.pageserver.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a disk knows of a directory tree, and what it may have forgotten after a loss of power.
 *
 * <p>Every file and directory has a state that was forced, and changes since. After a loss of power any subset of these changes
 * may be there, each by itself: the bytes of a write, its growth of the file without the bytes (zeros), half of it, the cutting
 * of a file, a new name, a name that is gone. Only a rename is atomic. That is less than journaling file systems promise and all
 * that POSIX does: fsync(2) of a file promises nothing about its name.
 */
final class ModelDisk {
  /** Writes longer than this may be torn in two. */
  private static final int ATOMIC_BYTES = 512;

  /** A file or directory. */
  private static final class Node {
    final boolean directory;
    byte[] forcedBytes = new byte[0];
    final Map<String, Node> forcedNames = new TreeMap<>();
    final List<Change> changes = new ArrayList<>();
    final Map<String, Node> names = new TreeMap<>();
    long length;

    /** Changes that were there at the operation before. */
    int knownChanges;

    Node(boolean directory) {
      this.directory = directory;
    }
  }

  /** A change that is not forced yet. */
  private sealed interface Change {
    /** Bytes that are written; {@code null} for growth alone. */
    @SuppressWarnings("ArrayRecordComponent") // identity is all that is asked of it
    record Write(long offset, byte @Nullable [] bytes, long endOffset) implements Change {}

    /** A file is cut. */
    record Cut(long length) implements Change {}

    /** Names that change together; {@code null} for a name that goes. */
    record Names(Map<String, @Nullable Node> changed) implements Change {}
  }

  /**
   * What may have become of a file or directory.
   *
   * @param fresh whether the changes of the last operation have a part in it
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by its key
  private record Outcome(boolean fresh, byte @Nullable [] bytes, Map<String, Node> names, long key) {}

  /** A file or directory whose outcome is still to be chosen. */
  private record Open(String path, Node node) {}

  /** A tree as it may be found: contents by path, {@code null} for a directory. */
  record State(TreeMap<String, byte @Nullable []> files) {
    /** Makes the tree in an empty directory. */
    void write(Path directory) throws IOException {
      for (Map.Entry<String, byte @Nullable []> entry : files.entrySet()) {
        byte @Nullable [] bytes = entry.getValue();
        Path path = directory.resolve(entry.getKey());
        if (bytes == null) {
          Files.createDirectories(path);
        } else {
          Files.write(path, bytes);
        }
      }
    }
  }

  private final Node root = new Node(true);
  private int acknowledged;
  private final Set<Long> seen = new HashSet<>();
  private final BiConsumer<State, Integer> visitor;
  private boolean visiting;
  private long visited;
  private @Nullable String failing;

  /**
   * An empty, durable directory.
   *
   * @param visitor gets every different state that a loss of power may leave, and how much was acknowledged before
   */
  ModelDisk(BiConsumer<State, Integer> visitor) {
    this.visitor = visitor;
  }

  /** Number of states visited. */
  synchronized long visited() {
    return visited;
  }

  /** From here on a loss of power is tried after every operation. */
  synchronized void beginVisiting() {
    visiting = true;
    visit(null);
  }

  /** What is acknowledged from here on. */
  synchronized void acknowledge(int upTo) {
    acknowledged = upTo;
    visit(null);
  }

  synchronized void makeDirectory(String path) {
    name(path, new Node(true));
  }

  synchronized void create(String path) {
    if (find(path) == null) {
      name(path, new Node(false));
    }
  }

  private void name(String path, Node node) {
    Node parent = parent(path);
    parent.names.put(last(path), node);
    Map<String, @Nullable Node> changed = new HashMap<>();
    changed.put(last(path), node);
    parent.changes.add(new Change.Names(changed));
    visit(parent);
  }

  synchronized void write(String path, long offset, byte[] bytes) {
    Node node = existing(path);
    if (offset + bytes.length > node.length) {
      node.length = offset + bytes.length;
      node.changes.add(new Change.Write(offset, null, node.length));
    }
    int half = bytes.length > ATOMIC_BYTES ? bytes.length / 2 / ATOMIC_BYTES * ATOMIC_BYTES : bytes.length;
    node.changes.add(new Change.Write(offset, Arrays.copyOf(bytes, half), offset + half));
    if (half < bytes.length) {
      node.changes.add(
          new Change.Write(offset + half, Arrays.copyOfRange(bytes, half, bytes.length), offset + bytes.length));
    }
    visit(node);
  }

  synchronized void cut(String path, long length) {
    Node node = existing(path);
    if (length < node.length) {
      node.length = length;
      node.changes.add(new Change.Cut(length));
      visit(node);
    }
  }

  synchronized void rename(String from, String to) {
    Node parent = parent(from);
    if (parent != parent(to)) {
      throw new IllegalStateException("a rename between directories: " + from + " to " + to);
    }
    Node node = existing(from);
    parent.names.remove(last(from));
    parent.names.put(last(to), node);
    Map<String, @Nullable Node> changed = new HashMap<>();
    changed.put(last(from), null);
    changed.put(last(to), node);
    parent.changes.add(new Change.Names(changed));
    visit(parent);
  }

  synchronized void delete(String path) {
    parent(path).names.remove(last(path));
    Map<String, @Nullable Node> changed = new HashMap<>();
    changed.put(last(path), null);
    parent(path).changes.add(new Change.Names(changed));
    visit(parent(path));
  }

  /** The next force of a file or directory whose path ends so fails; nobody knows what the disk has kept. */
  synchronized void failNextForce(String suffix) {
    failing = suffix;
  }

  /** A file or directory is forced. */
  synchronized void force(String path) throws IOException {
    if (failing != null && path.endsWith(failing)) {
      failing = null;
      throw new IOException("Input/output error");
    }
    Node node = find(path);
    if (node == null) {
      return; // outside of the model
    }
    if (node.directory) {
      node.forcedNames.clear();
      node.forcedNames.putAll(node.names);
    } else {
      node.forcedBytes = contents(node, (1 << node.changes.size()) - 1);
    }
    node.changes.clear();
    node.knownChanges = 0;
  }

  private static byte[] contents(Node file, int subset) {
    byte[] bytes = file.forcedBytes;
    for (int i = 0; i < file.changes.size(); i++) {
      if ((subset >>> i & 1) == 0) {
        continue;
      }
      if (file.changes.get(i) instanceof Change.Cut cut) {
        bytes = Arrays.copyOf(bytes, (int) Math.min(bytes.length, cut.length));
      } else if (file.changes.get(i) instanceof Change.Write write) {
        bytes = Arrays.copyOf(bytes, (int) Math.max(bytes.length, write.endOffset));
        byte @Nullable [] written = write.bytes;
        if (written != null) {
          System.arraycopy(written, 0, bytes, (int) write.offset, written.length);
        }
      }
    }
    return bytes;
  }

  private static Map<String, Node> names(Node directory, int subset) {
    Map<String, Node> names = new TreeMap<>(directory.forcedNames);
    for (int i = 0; i < directory.changes.size(); i++) {
      if ((subset >>> i & 1) != 0 && directory.changes.get(i) instanceof Change.Names changed) {
        changed.changed.forEach(
            (name, node) -> {
              if (node == null) {
                names.remove(name);
              } else {
                names.put(name, node);
              }
            });
      }
    }
    return names;
  }

  /** Visits what the last operation has made possible; all, when more is acknowledged than before. */
  private void visit(@Nullable Node changed) {
    if (visiting) {
      Deque<Open> open = new ArrayDeque<>();
      open.push(new Open("", root));
      choose(open, changed, changed == null, new State(new TreeMap<>()), 0);
    }
    if (changed != null) {
      changed.knownChanges = changed.changes.size();
    }
  }

  private void choose(Deque<Open> open, @Nullable Node changed, boolean fresh, State state, long key) {
    if (open.isEmpty()) {
      if (fresh && seen.add(key * 31 + acknowledged)) {
        visited++;
        visitor.accept(state, acknowledged);
      }
      return;
    }
    Open next = open.pop();
    for (Outcome outcome : outcomes(next.node)) {
      if (next.node == changed && !outcome.fresh) {
        continue;
      }
      Deque<Open> rest = new ArrayDeque<>(open);
      State further = new State(new TreeMap<>(state.files));
      if (next.node != root) {
        further.files.put(next.path, outcome.bytes);
      }
      String below = next.node == root ? "" : next.path + "/";
      outcome.names.forEach((name, node) -> rest.push(new Open(below + name, node)));
      long nextKey = key + (next.path.hashCode() * 0x9E3779B97F4A7C15L ^ outcome.key) * 0xBF58476D1CE4E5B9L;
      choose(rest, changed, fresh || next.node == changed, further, nextKey);
    }
    open.push(next);
  }

  /** The different outcomes of all subsets of a node's changes. */
  private static Collection<Outcome> outcomes(Node node) {
    if (node.changes.size() > 16) {
      throw new IllegalStateException(node.changes.size() + " unforced changes are too many for all their subsets");
    }
    Map<Long, Outcome> outcomes = new LinkedHashMap<>();
    for (int subset = 0; subset < 1 << node.changes.size(); subset++) {
      boolean fresh = subset >= 1 << node.knownChanges;
      Outcome outcome;
      if (node.directory) {
        Map<String, Node> names = names(node, subset);
        outcome = new Outcome(fresh, null, names, names.hashCode());
      } else {
        byte[] bytes = contents(node, subset);
        outcome = new Outcome(fresh, bytes, Map.of(), Arrays.hashCode(bytes) + ((long) bytes.length << 32));
      }
      outcomes.putIfAbsent(outcome.key, outcome);
    }
    return outcomes.values();
  }

  private @Nullable Node find(String path) {
    Node node = root;
    for (String name : path.split("/", -1)) {
      Node next = name.isEmpty() ? node : node.names.get(name);
      if (next == null) {
        return null;
      }
      node = next;
    }
    return node;
  }

  private Node existing(String path) {
    Node node = find(path);
    if (node == null) {
      throw new IllegalStateException("the model has no " + path);
    }
    return node;
  }

  private Node parent(String path) {
    int slash = path.lastIndexOf('/');
    return slash < 0 ? root : existing(path.substring(0, slash));
  }

  private static String last(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
