package io.pagelift.tests.harness;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Moves one victim with the commands that a user would type. Every step throws with all that the command said when it failed. */
public final class Migration {
  private static final Duration BOUND = Duration.ofMinutes(3);

  private final Victim victim;
  private final PageServer server;
  private final String name;

  /** A migration of this name over that server. */
  public Migration(Victim victim, PageServer server, String name) {
    this.victim = victim;
    this.server = server;
    this.name = name;
  }

  /** One {@code dumper pre-dump} of so many rounds in read mode. */
  public Finished preDump(int rounds, String... options) {
    return preDump("read", rounds, options);
  }

  /** One {@code dumper pre-dump} of so many rounds in the mode {@code read} or {@code splice}. */
  public Finished preDump(String mode, int rounds, String... options) {
    return command("dumper", List.of("pre-dump", "-t", pid(), "--mode=" + mode, "--to", server.address(), "--name", name, "--rounds", Integer.toString(rounds)), options);
  }

  /** {@code dumper dump}; afterwards the victim is gone from here, its pid free. */
  public Finished dump(String... options) {
    Finished finished = command("dumper", List.of("dump", "-t", pid(), "--to", server.address(), "--name", name), options);
    if (!List.of(options).contains("--leave-running")) {
      Await.until(
          "pid " + pid() + " is free again; the parent of the victim has to reap it", Await.LONG, () -> !ProcessFacts.taken(victim.pid()));
    }
    return finished;
  }

  /** {@code restorer restore --detached} from the server; afterwards the victim runs again under its pid. */
  public Finished restore(String... options) {
    return restore("--from", server.address(), options);
  }

  /** The same from the server's store, read directly. */
  public Finished restoreFromStore(String... options) {
    return restore("--store", server.store().toString(), options);
  }

  private Finished restore(String source, String place, String... options) {
    Finished finished = command("restorer", List.of("restore", source, place, "--name", name, "--detached"), options);
    Await.until("the rebuilt victim runs", Await.LONG, victim::rebuilt);
    return finished;
  }

  /** Rounds of pre-dump when there are any, the dump, the restore. */
  public void run(int preDumpRounds, String... dumpOptions) {
    if (preDumpRounds > 0) {
      preDump(preDumpRounds);
    }
    dump(dumpOptions);
    restore();
  }

  /** The migration's name. */
  public String name() {
    return name;
  }

  private String pid() {
    return Long.toString(victim.pid());
  }

  private Finished command(String program, List<String> arguments, String... options) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of(options));
    Finished finished = victim.workspace().startProgram(program, all).await(BOUND);
    if (finished.exitCode() != 0) {
      throw new AssertionError(finished.describe() + "\n" + victim.state());
    }
    return finished;
  }
}
