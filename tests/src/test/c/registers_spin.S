// void registers_spin(const struct registers *in, struct registers *out, int level)
// Loads every register from *in, spins until the 32-bit word registers_stop is not zero, stores every register to *out.
// The loop touches nothing but rcx (zero while it spins), not even the flags. Offsets: struct registers in registers.c.
// level: 0 SSE, 1 AVX, 2 AVX-512.
  .text
  .globl registers_spin
  .type registers_spin, @function
registers_spin:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  sub $40, %rsp
  stmxcsr 24(%rsp)
  fnstcw 28(%rsp)
  mov %rsi, 0(%rsp)
  mov %rdx, 8(%rsp)
  mov %rdi, %rax

  ldmxcsr 128(%rax)
  fninit
  fldcw 132(%rax)
  .irp i, 7,6,5,4,3,2,1,0
  fldl (136 + 8 * \i)(%rax)
  .endr
  cmp $1, %edx
  jl 1f
  je 2f
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmovdqu64 (256 + 64 * \i)(%rax), %zmm\i
  .endr
  .irp i, 0,1,2,3,4,5,6,7
  kmovw (2304 + 8 * \i)(%rax), %k\i
  .endr
  jmp 3f
2:
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  vmovdqu (256 + 64 * \i)(%rax), %ymm\i
  .endr
  jmp 3f
1:
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  movdqu (256 + 64 * \i)(%rax), %xmm\i
  .endr
3:
  mov 8(%rax), %rbx
  mov 24(%rax), %rdx
  mov 32(%rax), %rsi
  mov 40(%rax), %rdi
  mov 48(%rax), %rbp
  mov 56(%rax), %r8
  mov 64(%rax), %r9
  mov 72(%rax), %r10
  mov 80(%rax), %r11
  mov 88(%rax), %r12
  mov 96(%rax), %r13
  mov 104(%rax), %r14
  mov 112(%rax), %r15
  pushq 120(%rax)
  mov 0(%rax), %rax
  popfq
4:
  mov registers_stop(%rip), %ecx
  jrcxz 4b

  // The stop word may be any value: the flags and all but rcx are still as loaded.
  pushfq
  push %rax
  mov 16(%rsp), %rax
  popq 0(%rax)
  popq 120(%rax)
  mov %rbx, 8(%rax)
  mov %rcx, 16(%rax)
  mov %rdx, 24(%rax)
  mov %rsi, 32(%rax)
  mov %rdi, 40(%rax)
  mov %rbp, 48(%rax)
  mov %r8, 56(%rax)
  mov %r9, 64(%rax)
  mov %r10, 72(%rax)
  mov %r11, 80(%rax)
  mov %r12, 88(%rax)
  mov %r13, 96(%rax)
  mov %r14, 104(%rax)
  mov %r15, 112(%rax)
  stmxcsr 128(%rax)
  fnstcw 132(%rax)
  .irp i, 0,1,2,3,4,5,6,7
  fstpl (136 + 8 * \i)(%rax)
  .endr
  mov 8(%rsp), %edx
  cmp $1, %edx
  jl 5f
  je 6f
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmovdqu64 %zmm\i, (256 + 64 * \i)(%rax)
  .endr
  .irp i, 0,1,2,3,4,5,6,7
  kmovw %k\i, (2304 + 8 * \i)(%rax)
  .endr
  vzeroupper
  jmp 7f
6:
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  vmovdqu %ymm\i, (256 + 64 * \i)(%rax)
  .endr
  vzeroupper
  jmp 7f
5:
  .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
  movdqu %xmm\i, (256 + 64 * \i)(%rax)
  .endr
7:
  ldmxcsr 24(%rsp)
  fldcw 28(%rsp)
  cld
  add $40, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
  .size registers_spin, . - registers_spin
  .section .note.GNU-stack, "", @progbits
