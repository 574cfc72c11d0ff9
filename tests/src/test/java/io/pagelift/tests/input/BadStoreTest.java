package io.pagelift.tests.input;

import static org.assertj.core.api.Assertions.assertThat;

import io.pagelift.tests.harness.Migration;
import io.pagelift.tests.harness.PageServer;
import io.pagelift.tests.harness.Victim;
import io.pagelift.tests.harness.Workspace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stores that are foreign, cut off or changed, given to every command that reads one: named, and nothing is rebuilt. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadStoreTest {
  private static final int USAGE = 2;
  private static final int REFUSED = 3;
  private static final int CORRUPT = 5;

  private Workspace workspace;
  private Path whole;

  /** One migration that is complete, one of rounds only. */
  @BeforeAll
  void fillAStore() {
    workspace = Workspace.open("bad-store");
    PageServer server = PageServer.start(workspace);
    Victim victim = Victim.start(workspace, "threads");
    new Migration(victim, server, "done").dump("--leave-running");
    new Migration(victim, server, "begun").preDump(1);
    assertThat(victim.finish()).isEmpty();
    assertThat(server.stop().exitCode()).isIn(0, 143);
    whole = server.store();
  }

  @AfterAll
  void close() {
    workspace.close();
  }

  /** What is done to a copy of the store. */
  private enum Damage {
    NONE("", false),
    STORE_CUT("STORE", true),
    STORE_FOREIGN("STORE", false),
    MANIFEST_CUT("migrations/done/00000001.round", true),
    MANIFEST_FOREIGN("migrations/done/00000001.round", false),
    IMAGE_CUT("migrations/done/IMAGE", true),
    IMAGE_FOREIGN("migrations/done/IMAGE", false),
    PAGES_CUT("segments/00000001.pages", true),
    PAGES_FOREIGN("segments/00000001.pages", false),
    INDEX_CUT("segments/00000001.index", true),
    INDEX_FOREIGN("segments/00000001.index", false);

    private final String file;
    private final boolean cut;

    Damage(String file, boolean cut) {
      this.file = file;
      this.cut = cut;
    }
  }

  static Stream<Arguments> calls() {
    List<Arguments> calls = new ArrayList<>();
    for (Damage damage : Damage.values()) {
      if (damage == Damage.NONE) {
        continue;
      }
      String word = damage.file.substring(damage.file.lastIndexOf('/') + 1).replace("IMAGE", "tree.blob");
      calls.add(Arguments.of(damage, "page-server verify --read-data", CORRUPT, word));
      calls.add(Arguments.of(damage, "restorer restore --name done --detached", CORRUPT, word));
      boolean pages = damage.file.startsWith("segments");
      if (!pages) {
        calls.add(Arguments.of(damage, "restorer show --name done", CORRUPT, word));
      }
      if (!pages && !word.equals("tree.blob")) {
        calls.add(Arguments.of(damage, "page-server ls", CORRUPT, word));
        calls.add(Arguments.of(damage, "page-server show done", CORRUPT, word));
      }
      if (word.equals("STORE")) {
        calls.add(Arguments.of(damage, "page-server --port 0", CORRUPT, word));
      }
    }
    calls.add(Arguments.of(Damage.NONE, "restorer restore --name begun --detached", REFUSED, "dumper dump"));
    calls.add(Arguments.of(Damage.NONE, "restorer show --name begun", REFUSED, "dumper dump"));
    calls.add(Arguments.of(Damage.NONE, "restorer restore --name nobody --detached", USAGE, "nobody"));
    calls.add(Arguments.of(Damage.NONE, "restorer show --name nobody", USAGE, "nobody"));
    calls.add(Arguments.of(Damage.NONE, "page-server show nobody", USAGE, "nobody"));
    calls.add(Arguments.of(Damage.NONE, "restorer restore --name ../done --detached", USAGE, "done"));
    return calls.stream();
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("calls")
  void aStoreThatIsNotWhatWasWrittenIsNamed(Damage damage, String line, int code, String word) throws IOException {
    Path store = damage == Damage.NONE ? whole : damaged(damage);
    List<String> words = new ArrayList<>(List.of(line.split(" ", -1)));
    words.addAll(List.of("--store", store.toString()));
    BadInputTest.expectFailure(workspace.startProgram(words.get(0), words.subList(1, words.size())), code, word);
  }

  /** A copy of the store with that damage, made once. */
  private Path damaged(Damage damage) throws IOException {
    Path copy = workspace.directory().resolve("damaged").resolve(damage.name());
    if (Files.exists(copy)) {
      return copy;
    }
    try (Stream<Path> files = Files.walk(whole)) {
      for (Path file : files.toList()) {
        Path target = copy.resolve(whole.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    Path file = damage.file.endsWith("IMAGE") ? image(copy) : copy.resolve(damage.file);
    if (damage.cut) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(channel.size() / 2);
      }
    } else {
      byte[] foreign = Files.readAllBytes(file);
      for (int i = 0; i < foreign.length; i++) {
        foreign[i] ^= 0x55;
      }
      Files.write(file, foreign);
    }
    return copy;
  }

  private static Path image(Path store) {
    try (Stream<Path> files = Files.list(store.resolve("migrations/done"))) {
      return files.filter(file -> file.toString().endsWith(".blob")).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
