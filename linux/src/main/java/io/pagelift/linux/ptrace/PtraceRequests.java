package io.pagelift.linux.ptrace;

/** The request numbers of ptrace(2) and the note types of its register sets. */
final class PtraceRequests {
  static final int CONT = 7;
  static final int SINGLESTEP = 9;
  static final int DETACH = 17;
  static final int SYSCALL = 24;
  static final int SETOPTIONS = 0x4200;
  static final int GETEVENTMSG = 0x4201;
  static final int GETSIGINFO = 0x4202;
  static final int GETREGSET = 0x4204;
  static final int SETREGSET = 0x4205;
  static final int SEIZE = 0x4206;
  static final int INTERRUPT = 0x4207;
  static final int LISTEN = 0x4208;
  static final int PEEKSIGINFO = 0x4209;
  static final int GETSIGMASK = 0x420a;
  static final int SETSIGMASK = 0x420b;
  static final int GET_RSEQ_CONFIGURATION = 0x420f;

  static final int PEEKSIGINFO_SHARED = 1;
  static final int NT_PRSTATUS = 1;
  static final int NT_X86_XSTATE = 0x202;

  private PtraceRequests() {}
}
