package io.pagelift.restorer.process;

import io.pagelift.linux.Constants;
import io.pagelift.linux.Kernel;
import io.pagelift.linux.KernelException;
import io.pagelift.linux.ProcStat;
import io.pagelift.linux.Spawn;
import io.pagelift.linux.WaitResult;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Stands in for whoever started the root at the source: waits for its end and passes signals on to it. The wait is as long as
 * the root lives; everything else about it is bounded.
 */
public final class RootWait {
  private static final int KILLED_BASE = 128;

  private RootWait() {}

  /**
   * Waits for the root, a child of this process.
   *
   * @return its exit code, or 128 and the signal that killed it
   */
  public static int exitCode(int rootPid) {
    WaitResult result = Spawn.waitFor(rootPid, Constants.WALL);
    while (!result.ended()) {
      result = Spawn.waitFor(rootPid, Constants.WALL);
    }
    return result.exited() ? result.exitCode() : KILLED_BASE + result.killingSignal();
  }

  /**
   * Passes SIGINT, SIGTERM and SIGHUP on to the root from now on. A terminal sends SIGINT to its whole foreground group: if
   * the root is in the restorer's own group it has got that already.
   */
  public static void forwardSignals(int rootPid) {
    boolean sameGroup = ProcStat.read(rootPid).processGroup() == ProcStat.read(Kernel.pid()).processGroup();
    handle("TERM", () -> pass(rootPid, Constants.SIGTERM));
    handle("HUP", () -> pass(rootPid, Constants.SIGHUP));
    handle(
        "INT",
        () -> {
          if (!sameGroup) {
            pass(rootPid, Constants.SIGINT);
          }
        });
  }

  private static void pass(int pid, int signal) {
    try {
      Spawn.kill(pid, signal);
    } catch (KernelException e) {
      // It has just ended; its exit code follows.
    }
  }

  /** By reflection: the compiler warns of sun.misc.Signal, but Java has nothing else for this. */
  private static void handle(String name, Runnable action) {
    try {
      Class<?> signalClass = Class.forName("sun.misc.Signal");
      Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
      InvocationHandler invocation =
          (proxy, method, arguments) -> {
            if (method.getName().equals("handle")) {
              action.run();
            }
            return null;
          };
      Object handler = Proxy.newProxyInstance(handlerClass.getClassLoader(), new Class<?>[] {handlerClass}, invocation);
      Object signal = signalClass.getConstructor(String.class).newInstance(name);
      signalClass.getMethod("handle", signalClass, handlerClass).invoke(null, signal, handler);
    } catch (ReflectiveOperationException e) {
      // A JVM without it, or with -Xrs: the signal then ends the restorer, and the root goes on as a child of init.
    }
  }
}
