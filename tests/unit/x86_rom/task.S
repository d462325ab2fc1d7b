# Tasks and virtual-8086 mode.
.include "rom.inc"
.include "prot.inc"

.set STACK_B, 0x2b000
.set STACK_C, 0x2b800
.set STACK_DF, 0x2c000
.set TSS_C, 0x58
.set TSS_DF, 0x60
.set TSS_BAD, 0x68
.set GATE_C, 0x70
.set LDT_B, 0x78
.set TSS_USER, 0x80
.set DATA16, 0x88
.set END, 0x90

main:
    lgdt [gdt_pointer]
    lidt [idt_pointer]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    ljmp CODE32, offset start32

    .code32
ROUTINES 32, e, esi
STUBS

# As in prot.inc, and what the stack has beyond the flags when the frame is virtual-8086 mode's.
report:
    mov ax, DATA32
    mov ds, ax
    mov ebp, esp
    SAY 32, "vector "
    PRINT 2, [ebp]
    PRINT 4, [ebp + 4]
    mov eax, [ebp + 8]
    sub eax, [at]
    PRINT 4, eax
    mov eax, [ebp + 12]
    and eax, 0xffff
    PRINT 4, eax
    mov eax, [ebp + 16]
    and eax, 0x37700
    PRINT 5, eax
    test dword ptr [ebp + 16], 0x20000
    jz 1f
    PRINT 8, [ebp + 20]
    PRINT 4, [ebp + 24]
    PRINT 4, [ebp + 28]
    PRINT 4, [ebp + 32]
    PRINT 4, [ebp + 36]
    PRINT 4, [ebp + 40]
    mov ax, es
    movzx eax, ax
    PRINT 4, eax
1:  str ax
    movzx eax, ax
    PRINT 4, eax
    call line32
    mov ax, DATA32
    mov ss, ax
    mov esp, STACK0
    jmp [resume]

    .balign 8
gdt:
    .quad 0
    DESC 0, 0xfffff, 0x9a, 0xc          # CODE32
    DESC 0, 0xfffff, 0x92, 0xc          # DATA32
    DESC 0, 0xffff, 0x9a, 0             # CODE16
    DESC 0, 0xfffff, 0xfa, 0xc          # CODE3
    DESC 0, 0xfffff, 0xf2, 0xc          # DATA3
    DESC tss_a, 0x87, 0x89, 0           # TSS_A
    DESC tss_b, 0x67, 0x89, 0           # TSS_B
    DESC tss_16, 0x2b, 0x81, 0          # TSS_16
    .quad 0
    .word 0, TSS_B, 0xe500, 0           # GATE_TASK
    DESC tss_c, 0x67, 0x89, 0           # TSS_C
    DESC tss_df, 0x67, 0x89, 0          # TSS_DF
    DESC tss_bad, 0x67, 0x89, 0         # TSS_BAD
    .word 0, TSS_C, 0xe500, 0           # GATE_C
    DESC gdt, 0x3f, 0x82, 0             # LDT_B
    DESC tss_user, 0x67, 0x89, 0        # TSS_USER
    DESC 0, 0xffff, 0x92, 0             # DATA16
gdt_pointer:
    .word END - 1
    .long gdt
idt:
    .fill 48 * 8, 1, 0
idt_pointer:
    .word 48 * 8 - 1
    .long idt
real_idt:
    .word 0x3ff
    .long 0
tss_a:
    .long 0, STACK_TSS, DATA32, 0, 0, 0, 0
    .org tss_a + 0x66
    .word 0x68
    .fill 0x1c, 1, 0
    .byte 0, 0xfd, 0xff, 0xff

# EIP, EFLAGS, EAX.. EDI, then ES, CS, SS, DS, FS, GS, LDT, trap, map.
.macro TSS32 name, ip, flags, esp, cs, data, ldt=0, trap=0, ss=DATA32
\name:
    .long 0, STACK_TSS, DATA32, 0, 0, 0, 0, 0
    .long \ip, \flags, 0x11111111, 0x22222222, 0x33333333, 0x44444444, \esp, 0x66666666, 0x77777777, 0x88888888
    .long \data, \cs, \ss, \data, \data, \data, \ldt
    .word \trap, 0x68
.endm
TSS32 tss_b, task_b, 2, STACK_B, CODE32, DATA32, LDT_B
TSS32 tss_c, task_c, 0x202, STACK_C, CODE32, DATA32, 0, 1
TSS32 tss_df, task_df, 2, STACK_DF, CODE32, DATA32
TSS32 tss_bad, task_b, 2, STACK_B, CODE32, TSS_A
TSS32 tss_user, task_user, 0x3002, STACK3, CODE3, DATA3, 0, 0, DATA3
tss_16:
    .word 0, 0xfff0, DATA32, 0, 0, 0, 0
    .word task_16, 2, 0x1111, 0x2222, 0x3333, 0x4444, 0xff00, 0x6666, 0x7777, 0x8888
    .word DATA32, CODE32, DATA16, DATA32, 0
at: .long 0
resume: .long 0
far_task: .long 0
    .word TSS_B

.macro STATE text
    SAY 32, "\text "
    pushfd
    pop eax
    and eax, 0x37700
    PRINT 5, eax
    str ax
    movzx eax, ax
    PRINT 4, eax
    smsw ax
    movzx eax, ax
    PRINT 4, eax
    .irp t, TSS_A, TSS_B, TSS_C, TSS_16
    movzx eax, byte ptr [gdt + \t + 5]
    PRINT 2, eax
    .endr
    call line32
.endm

task_b:
    pushad
    STATE "task b"
    PRINT 8, [esp + 28]
    PRINT 8, [esp + 24]
    PRINT 8, [esp]
    PRINT 8, [esp + 12]
    movzx eax, word ptr [tss_b]
    PRINT 4, eax
    sldt ax
    movzx eax, ax
    PRINT 4, eax
    call line32
    popad
    clts
    iretd
    STATE "task b again"
    clts
    ljmp TSS_A, 0
    STATE "task b third"
    clts
    iretd

task_c:
    STATE "task c"
    clts
    iretd
    jmp task_c

task_df:
    SAY 32, "task df "
    PRINT 8, [esp + 8]
    movzx eax, word ptr [tss_df]
    PRINT 4, eax
    mov eax, [tss_a + 0x20]
    sub eax, [at]
    PRINT 8, eax
    mov eax, [tss_a + 0x24]
    and eax, 0x37700
    PRINT 5, eax
    call line32
    mov eax, [resume]
    mov [tss_a + 0x20], eax
    add esp, 4
    iretd
    jmp task_df

task_16:
    movzx esp, sp                       # the upper half is nobody's
    STATE "task 16"
    PRINT 4, ecx
    PRINT 4, edi
    clts
    iretd
    jmp task_16

task_user:
    mov ax, cs
    movzx eax, ax
    SAY 32, "task user "
    PRINT 4, eax
    mov ax, ss
    movzx eax, ax
    PRINT 4, eax
    call line32
    int 34
    jmp task_user

start32:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, STACK0
    .irp n, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 32
    GATE \n, stub\n, 0x8e
    .endr
    GATE 3, stub3, 0xee
    GATE 33, stub33, 0xee
    GATE 34, stub34, 0xee
    GATE 40, 0, 0xe5, TSS_B
    GATE 41, 0, 0x85, TSS_C
    mov ax, TSS_A
    ltr ax
    mov eax, 0x403
    mov dr7, eax
    mov eax, offset start32
    mov dr0, eax
    STATE "before"

    lcall TSS_B, 0x12345678
    STATE "called"
    clts
    mov eax, dr7                        # the local breakpoint is off
    PRINT 4, eax
    call line32
    ljmp [far_task]
    STATE "jumped back"
    clts
    int 40
    STATE "interrupted"
    clts
    mov dword ptr [tss_b + 0x20], offset task_b
    lcall GATE_TASK, 0
    STATE "gated"
    clts
    mov eax, [tss_a + 0x20]
    sub eax, offset start32
    call line32
    lcall TSS_16, 0
    STATE "called 16"
    clts
    # the trap bit
    mov dword ptr [at], offset task_c
    mov dword ptr [resume], offset 1f
    lcall TSS_C, 0
    jmp 2f
1:  STATE "trapped"
    mov eax, dr6
    PRINT 8, eax
    call line32
    mov eax, 0xffff0ff0
    mov dr6, eax
    mov word ptr [tss_c + 0x64], 0
    clts
    pushfd                              # the handler has cleared NT
    or dword ptr [esp], 0x4000
    popfd
    iretd
2:  STATE "returned"
    clts
    # errors: before and after the switch
    TRY "busy", "lcall TSS_A, 0"
    mov dword ptr [at], offset task_b
    mov dword ptr [resume], offset 1f
    ljmp TSS_BAD, 0
    jmp 2f
1:  STATE "bad"
    clts
    ljmp TSS_A, 0
2:  STATE "back"
    clts
    pushfd
    or dword ptr [esp], 0x4000
    popfd
    mov word ptr [tss_a], TSS_B
    TRY "iret not busy", "iretd"
    mov word ptr [tss_a], CODE32
    TRY "iret no tss", "iretd"
    pushfd
    and dword ptr [esp], 0xffffbfff
    popfd
    # a double fault in a task of its own
    GATE 8, 0, 0x85, TSS_DF
    GATE 13, stub13, 0x0e
    xor eax, eax
    mov fs, ax
    TRY "double", "mov al, fs:[0]"
    GATE 13, stub13, 0x8e
    STATE "after"
    clts
    mov dword ptr [resume], offset 1f
    mov dword ptr [at], 0
    ljmp TSS_USER, 0
1:  mov ax, TSS_A
    and byte ptr [gdt + TSS_A + 5], 0xfd
    ltr ax
    SAY 32, "-- v86\n"

# In virtual-8086 mode with FLAGS; the code is in 16 bits.
.macro V86 name, flags, insn
    SAY 32, "\name: "
    mov dword ptr [at], offset v86_at\@
    mov dword ptr [resume], offset v86_end\@
    push 0x5555
    push 0x4444
    push 0x3333
    push 0x2222
    push 0x2000
    push 0xffe0
    push \flags
    push 0
    push offset v86_at\@
    iretd
    .code16
v86_at\@:
    \insn
    int3
    .code32
v86_end\@:
.endm
    .irp flags, 0x20002, 0x23002
    V86 "nop \flags", \flags, "nop"
    V86 "cli \flags", \flags, "cli"
    V86 "sti \flags", \flags, "sti"
    V86 "pushf \flags", \flags, "pushf"
    V86 "popf \flags", \flags, "push 0x7202; popf"
    V86 "pushfd \flags", \flags, "pushfd; pop eax; .byte 0x66; pop eax"
    V86 "int 33 \flags", \flags, "int 33"
    V86 "int 32 \flags", \flags, "int 32"
    V86 "iret \flags", \flags, "push 0x200; push 0; push offset v86_iret; iret"
    V86 "hlt \flags", \flags, "hlt"
    V86 "in e9 \flags", \flags, "in al, 0xe9"
    V86 "in e8 \flags", \flags, "in al, 0xe8"
    V86 "cr0 \flags", \flags, "mov eax, cr0"
    V86 "lldt \flags", \flags, ".byte 0x0f, 0x00, 0xd0"
    V86 "ud2 \flags", \flags, "ud2"
    V86 "limit \flags", \flags, "mov ax, [0xffff]"
    V86 "segment \flags", \flags, "mov ax, 0x1234; mov ds, ax; mov fs, ax"
    V86 "far \flags", \flags, "ljmp 0x10, offset v86_far - 0x100"
    V86 "sp \flags", \flags, "mov sp, 2; pushfd"
    V86 "step \flags", 0x100 | \flags, "nop; nop"
    .endr
    # out of it to a handler that is not of ring 0
    GATE 34, stub34, 0xee, CODE3
    V86 "ring 3", 0x23002, "int 34"
    FINISH 32
    .code16
v86_far:
    mov ax, cs
    int3
v86_iret:
    nop
    int3
ROM_END
