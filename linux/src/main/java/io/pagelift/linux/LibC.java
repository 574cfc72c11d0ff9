package io.pagelift.linux;

/**
 * The few functions of the C library that are called through jnr-ffi.
 *
 * <p>No method here has exactly six integer parameters: jnr-ffi passes garbage as the last one then (jnr-ffi issue 181). Where
 * the C function has six, a seventh {@code unused} follows. Addresses are plain {@code long}s: jnr's {@code Pointer} is slow on
 * newer JDKs. All methods save {@code errno} (jnr-ffi's default), which {@link Kernel} reads right after the call.
 */
public interface LibC {
  /** {@code syscall(2)} without arguments. */
  long syscall(long number);

  /** {@code syscall(2)}. */
  long syscall(long number, long a0);

  /** {@code syscall(2)}. */
  long syscall(long number, long a0, long a1);

  /** {@code syscall(2)}. */
  long syscall(long number, long a0, long a1, long a2);

  /** {@code syscall(2)}. */
  long syscall(long number, long a0, long a1, long a2, long a3);

  /** {@code syscall(2)} with all six arguments. */
  long syscall(long number, long a0, long a1, long a2, long a3, long a4, long a5);

  /** {@code posix_spawn(3)}; returns an error number, not -1. */
  int posix_spawn(
      long pidAddress, long path, long fileActions, long attributes, long argv, long envp, long unused);

  /** {@code posix_spawn_file_actions_init(3)}. */
  int posix_spawn_file_actions_init(long fileActions);

  /** {@code posix_spawn_file_actions_destroy(3)}. */
  int posix_spawn_file_actions_destroy(long fileActions);

  /** {@code posix_spawn_file_actions_adddup2(3)}. */
  int posix_spawn_file_actions_adddup2(long fileActions, int from, int to);

  /** {@code posix_spawn_file_actions_addclose(3)}. */
  int posix_spawn_file_actions_addclose(long fileActions, int number);

  /** {@code posix_spawn_file_actions_addopen(3)}. */
  int posix_spawn_file_actions_addopen(long fileActions, int number, long path, int flags, int mode);

  /** {@code posix_spawn_file_actions_addchdir_np}; glibc 2.29. */
  int posix_spawn_file_actions_addchdir_np(long fileActions, long path);

  /** {@code posix_spawn_file_actions_addclosefrom_np}; glibc 2.34. */
  int posix_spawn_file_actions_addclosefrom_np(long fileActions, int lowest);

  /** {@code posix_spawnattr_init(3)}. */
  int posix_spawnattr_init(long attributes);

  /** {@code posix_spawnattr_destroy(3)}. */
  int posix_spawnattr_destroy(long attributes);

  /** {@code posix_spawnattr_setflags(3)}. */
  int posix_spawnattr_setflags(long attributes, short flags);

  /** {@code posix_spawnattr_setsigmask(3)}. */
  int posix_spawnattr_setsigmask(long attributes, long signalSet);

  /** {@code posix_spawnattr_setsigdefault(3)}. */
  int posix_spawnattr_setsigdefault(long attributes, long signalSet);

  /** {@code posix_spawnattr_setpgroup(3)}. */
  int posix_spawnattr_setpgroup(long attributes, int group);
}
