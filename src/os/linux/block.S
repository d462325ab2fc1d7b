/* A host system call that a signal handler can keep from starting; x86-64.
 *
 * long linux_block_call(const int *pending, long nr, long a, b, c, d, e, f)
 *
 * From linux_block_begin up to linux_block_syscall the call has not begun: a handler that finds
 * the pc there moves it to linux_block_abort. So a signal either is seen by the test, or moves the
 * pc, or interrupts the call itself. */
    .text
    .globl linux_block_call, linux_block_begin, linux_block_syscall, linux_block_abort
    .hidden linux_block_call, linux_block_begin, linux_block_syscall, linux_block_abort
    .type linux_block_call, @function
linux_block_call:
    .cfi_startproc
    mov     %rsi, %rax
    mov     %rdi, %r11
    mov     %rdx, %rdi
    mov     %rcx, %rsi
    mov     %r8, %rdx
    mov     %r9, %r10
    mov     8(%rsp), %r8
    mov     16(%rsp), %r9
linux_block_begin:
    cmpl    $0, (%r11)
    jne     linux_block_abort
linux_block_syscall:
    syscall
    ret
linux_block_abort:
    mov     $-4, %rax /* -EINTR */
    ret
    .cfi_endproc
    .size linux_block_call, . - linux_block_call

/* What a host signal handler returns to. */
    .globl linux_host_restorer
    .hidden linux_host_restorer
    .type linux_host_restorer, @function
linux_host_restorer:
    mov     $15, %eax /* rt_sigreturn */
    syscall
    .size linux_host_restorer, . - linux_host_restorer
    .section .note.GNU-stack, "", @progbits
