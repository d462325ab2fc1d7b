/* The start of every test image: the reset vector, the way to real, protected or long mode (BITS),
 * and the entry points of all exceptions and interrupts. */
#include "layout.h"

    .section .reset, "ax"
    .code16
    .globl reset
reset: /* F000:FF00: the image, linked where it is copied to */
    cli
    cld
    mov $0xf000, %ax
    mov %ax, %ds
    xor %ax, %ax
    mov %ax, %es
    mov $IMAGE, %si
    mov %si, %di
    mov $(0xff00 - IMAGE) / 2, %cx
    rep movsw
    mov %ax, %ds
    mov %ax, %ss
    mov $0xfe00, %esp
    ljmpw $0, $start
    .section .vector, "ax"
    ljmpw $0xf000, $reset

    .text
#if BITS != 16
    .code16
start:
    lgdtl gdt_pointer
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
#if BITS == 64
    ljmpl $SEL_CODE32, $start32
#else
    ljmpl $SEL_CODE, $start32
#endif
    .code32
start32:
    mov $SEL_DATA, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %gs
    mov %ax, %ss
    mov $KERNEL_STACK, %esp
#endif
#if BITS == 64
    /* The first GiB in 2 MiB pages, usable from everywhere. */
    mov $PAGES, %edi
    xor %eax, %eax
    mov $0x3000 / 4, %ecx
    rep stosl
    movl $PAGES + 0x1007, PAGES
    movl $PAGES + 0x2007, PAGES + 0x1000
    mov $PAGES + 0x2000, %edi
    mov $0x87, %eax
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    cmp $0x40000000, %eax
    jb 1b
    mov $PAGES, %eax
    mov %eax, %cr3
    mov $0x20, %eax
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    mov $0x100, %eax
    xor %edx, %edx
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmpl $SEL_CODE, $start64
    .code64
start64:
    mov $KERNEL_STACK, %rsp
    call setup
    call main
    call finish
#elif BITS == 32
    call setup
    call main
    call finish
#else
    .code16gcc
start:
    call setup
    call main
    call finish
#endif

/* ---- exceptions and interrupts: one entry each, then the frame of lib.h ---- */
    .balign 16
    .globl entries
entries:
    .set n, 0
    .rept ENTRIES
    .balign 16
#if BITS == 16
    pushw $n
#else
    .if (1 << n) & WITH_ERROR == 0 || n > 31
    push $0
    .endif
    push $n
#endif
    jmp common
    .set n, n + 1
    .endr

#if BITS == 16
common:
    pushal
    pushl %ds
    pushl %es
    pushfl
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    cld
    mov %esp, %eax
    pushl %eax
    call on_event
    testb %al, %al
    jz leave
    addl $8, %esp
    popl %es
    popl %ds
    popal
    addw $2, %sp
    iretw
leave:
    xor %ax, %ax
    mov %ax, %ss
    movl resume_sp, %esp
    jmp *resume_ip
#elif BITS == 32
common:
    pushal
    push %ds
    push %es
    push %fs
    push %gs
    pushf
    mov $SEL_DATA, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %gs
    cld
    mov %esp, %eax
    push %eax
    call on_event
    test %al, %al
    jz leave
    add $8, %esp
    pop %gs
    pop %fs
    pop %es
    pop %ds
    popal
    add $8, %esp
    iret
leave:
    mov $SEL_DATA, %ax
    mov %ax, %ss
    mov resume_sp, %esp
    jmp *resume_ip
#else
common:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    pushf
    cld
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call on_event
    mov %rbp, %rsp
    test %al, %al
    jz leave
    add $8, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq
leave:
    mov $SEL_DATA, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    mov resume_sp, %rsp
    jmp *resume_ip
#endif

    .data
    .balign 8
    .globl gdt, gdt_pointer
gdt:
    .quad 0
#if BITS == 64
    .quad 0x00af9b000000ffff /* SEL_CODE */
#else
    .quad 0x00cf9b000000ffff
#endif
    .quad 0x00cf93000000ffff /* SEL_DATA */
    .quad 0x00cffb000000ffff /* SEL_USER_CODE32 */
    .quad 0x00cff3000000ffff /* SEL_USER_DATA */
    .quad 0x00affb000000ffff /* SEL_USER_CODE64 */
    .quad 0x00cf9b000000ffff /* SEL_CODE32 */
    .quad 0x00009b000000ffff /* SEL_CODE16 */
    .quad 0x000093000000ffff /* SEL_DATA16 */
    .fill GDT_SIZE - 9, 8, 0
gdt_pointer:
    .word GDT_SIZE * 8 - 1
    .long gdt, 0

    .section .note.GNU-stack, "", @progbits
