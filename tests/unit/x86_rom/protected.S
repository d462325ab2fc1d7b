# Protected mode: segments, privilege levels, gates, interrupts, debug registers.
.include "rom.inc"
.include "prot.inc"

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
REPORTER

    .balign 8
gdt:
    .quad 0
    DESC 0, 0xfffff, 0x9a, 0xc          # CODE32
    DESC 0, 0xfffff, 0x92, 0xc          # DATA32
    DESC 0, 0xffff, 0x9a, 0             # CODE16
    DESC 0, 0xfffff, 0xfa, 0xc          # CODE3
    DESC 0, 0xfffff, 0xf2, 0xc          # DATA3
    DESC tss_a, 0x87, 0x89, 0
    DESC tss_a, 0x67, 0x89, 0           # TSS_B
    DESC tss_a, 0x2b, 0x81, 0           # TSS_16
    .word gate_target, CODE32, 0xec02, 0    # GATE_CALL
    .word 0, TSS_B, 0xe500, 0           # GATE_TASK
    DESC 0, 0xfffff, 0x12, 0xc          # ABSENT_DATA
    DESC 0, 0xfffff, 0x1a, 0xc          # ABSENT_CODE
    DESC 0, 0xfffff, 0x90, 0xc          # READ_ONLY
    DESC 0, 0xfffff, 0x98, 0xc          # EXEC_ONLY
    DESC 0, 0xfffff, 0x9e, 0xc          # CONFORMING
    DESC 0, 0xfff, 0x92, 4              # SMALL
    DESC 0, 0xfff, 0x96, 4              # DOWN
    DESC gdt, 0xff, 0x82, 0             # LDT_SEL
    DESC 0, 0, 0x9a, 4                  # CODE_SMALL
    .word gate_target, CODE32, 0x6c02, 0    # GATE_ABSENT
    .word gate_target16, CODE32, 0xe402, 0  # GATE_16
    DESC tss_a, 0x67, 0x09, 0           # TSS_ABSENT
    DESC 0, 0xffff, 0x92, 0             # DATA16
    DESC tss_a, 0x66, 0x89, 0           # TSS_SHORT
    DESC 0, 0xfffff, 0xd2, 0xc          # STACK2
gdt_pointer:
    .word GDT_END - 1
    .long gdt
idt:
    .fill 48 * 8, 1, 0
idt_pointer:
    .word 40 * 8 - 1
    .long idt
tss_a:
    .long 0, STACK_TSS, DATA32, 0, 0, 0, 0
    .org tss_a + 0x66
    .word tss_map - tss_a
tss_map:
    .fill 0x1c, 1, 0                    # ports 0..df
    .byte 0, 0xfd, 0xff                 # e0..f7: e8 no, e9 yes, ea.. no
    .byte 0xff
tss_a_end:
at: .long 0
resume: .long 0
word_value: .word 0x1234
saved: .fill 16, 1, 0
far_bad: .long 0
    .word 0
table: .fill 10, 1, 0

gate_target:
    SAY 32, "gate "
    PRINT 4, [esp]
    PRINT 4, [esp + 4]
    PRINT 8, [esp + 8]
    PRINT 8, [esp + 12]
    PRINT 8, [esp + 16]
    PRINT 4, [esp + 20]
    mov ax, ss
    movzx eax, ax
    PRINT 4, eax
    call line32
    mov ax, DATA3
    mov ds, ax
    retf 8
handler16:
    mov ebp, esp
    PRINT 4, [ebp]
    PRINT 4, [ebp + 2]
    PRINT 4, [ebp + 4]
    mov eax, STACK0
    sub eax, esp
    PRINT 4, eax
    call line32
    .byte 0x66
    iretd
gate_target16:
    SAY 32, "gate16 "
    mov eax, STACK_TSS
    sub eax, esp
    PRINT 4, eax
    PRINT 8, [esp]
    PRINT 8, [esp + 4]
    PRINT 8, [esp + 8]
    call line32
    .byte 0x66
    retf 4
ring3_back:
    iretd
print_flags:
    pushfd
    pop eax
    and eax, 0x37700
    PRINT 5, eax
    call line32
    ret
conforming:
    mov ax, cs
    movzx eax, ax
    SAY 32, "conforming "
    PRINT 4, eax
    call line32
    retf

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
    GATE 34, stub34, 0xef
    GATE 35, stub34, 0x6e               # absent
    GATE 36, stub34, 0x8e, DATA32
    GATE 37, stub34, 0x8e, 0
    GATE 38, stub34, 0x84               # a call gate
    GATE 39, stub34, 0x86               # 16 bits
    mov word ptr [gdt + CODE_SMALL], offset small_end - 1
    SAY 32, "accessed "
    movzx eax, byte ptr [gdt + SMALL + 5]
    PRINT 2, eax
    mov ax, SMALL
    mov fs, ax
    movzx eax, byte ptr [gdt + SMALL + 5]
    PRINT 2, eax
    call line32

    SAY 32, "-- segments\n"
    xor eax, eax
    mov fs, ax
    TRY "null", "mov al, fs:[0]"
    mov ax, SMALL
    mov fs, ax
    TRY "in limit", "mov eax, fs:[0xffc]"
    TRY "limit", "mov eax, fs:[0xffd]"
    mov ax, DOWN
    mov gs, ax
    TRY "down", "mov eax, gs:[0xffd]"
    TRY "down in", "mov eax, gs:[0x1000]"
    TRY "code write", "mov byte ptr cs:[word_value], 0"
    mov ax, READ_ONLY
    mov gs, ax
    TRY "read only", "mov byte ptr gs:[word_value], 0"
    TRY "rmw", "add byte ptr gs:[word_value], 0"
    .irp sel, ABSENT_DATA, EXEC_ONLY, TSS_A, GDT_END, 0x14
    mov ax, \sel
    TRY "ds \sel", "mov ds, ax"
    .endr
    .irp sel, 0, 3, ABSENT_DATA, CODE32, READ_ONLY, DATA3, 0x13, STACK2, GDT_END
    mov ax, \sel
    TRY "ss \sel", "mov ss, ax"
    .endr
    mov ax, CODE32
    TRY "ds code", "mov gs, ax"
    mov ax, 0x13
    TRY "ds rpl", "mov gs, ax"
    TRY "cs", ".byte 0x8e, 0xc8"

    SAY 32, "-- tables\n"
    mov ax, LDT_SEL
    TRY "lldt", "lldt ax"
    mov ax, 0x14
    TRY "ldt", "mov gs, ax"
    mov ax, DATA32
    TRY "lldt data", "lldt ax"
    xor ax, ax
    TRY "lldt null", "lldt ax"
    mov ax, 0x14
    TRY "ldt none", "mov gs, ax"
    .irp sel, 0, DATA32, TSS_ABSENT, 0x34, GATE_CALL, GDT_END
    mov ax, \sel
    TRY "ltr \sel", "ltr ax"
    .endr
    mov ax, TSS_A
    TRY "ltr", "ltr ax"
    TRY "ltr busy", "ltr ax"
    movzx eax, byte ptr [gdt + TSS_A + 5]
    PRINT 2, eax
    str ax
    movzx eax, ax
    PRINT 4, eax
    sgdt [table]
    movzx eax, word ptr [table]
    PRINT 4, eax
    sidt [table]
    movzx eax, word ptr [table]
    PRINT 4, eax
    call line32
    .irp sel, 0, CODE32, DATA3, ABSENT_DATA, TSS_A, TSS_B, TSS_16, GATE_CALL, GATE_TASK, LDT_SEL, SMALL, EXEC_ONLY, READ_ONLY, GDT_END, CONFORMING
    mov ebx, 0xdead
    mov ecx, \sel
    SAY 32, "query \sel "
    lar ebx, ecx
    pushfd
    pop edx
    and edx, 0x40
    PRINT 2, edx
    PRINT 8, ebx
    mov ebx, 0xdead
    lsl ebx, ecx
    PRINT 8, ebx
    verr cx
    setz al
    verw cx
    setz ah
    movzx eax, ax
    PRINT 4, eax
    call line32
    .endr
    mov eax, 0x10
    mov ebx, 3
    arpl ax, bx
    setz cl
    movzx ecx, cl
    PRINT 4, eax
    PRINT 1, ecx
    call line32

    SAY 32, "-- far transfers\n"
    .irp sel, 0, DATA32, ABSENT_CODE, CODE3, GDT_END, TSS_SHORT, TSS_ABSENT, GATE_ABSENT, LDT_SEL, TSS_A
    TRY "jmp \sel", "ljmp \sel, offset start32"
    .endr
    TRY "call gate 0", "lcall GATE_ABSENT, 0"
    lcall CONFORMING, offset conforming
    lcall GATE_CALL, 0x55555555
    TRY "code limit", "ljmp CODE_SMALL, offset small_end"
    mov dword ptr [at], offset small_end
    mov dword ptr [resume], offset 1f
    ljmp CODE_SMALL, offset small_start
1:  mov dword ptr [at], offset small_branch
    mov dword ptr [resume], offset 1f
    ljmp CODE_SMALL, offset small_branch
1:  push CODE3
    push offset start32
    mov dword ptr [far_bad], offset start32
    mov word ptr [far_bad + 4], ABSENT_CODE
    TRY "jmp mem", "ljmp [far_bad]"
    push 0
    push offset start32
    TRY "retf null", "retf"
    push ABSENT_CODE
    push offset start32
    TRY "retf absent", "retf"
    push 0
    push 0
    push CODE3
    push offset start32
    TRY "retf ss", "retf"
    push DATA32
    push STACK3
    push CODE3
    push offset start32
    TRY "retf ss dpl", "retf"
    push 0
    push 0
    push 0
    TRY "iret null", "iretd"

    SAY 32, "-- interrupts\n"
    TRY "int 32", "int 32"
    TRY "int 34", "int 34"
    TRY "int 35", "int 35"
    TRY "int 36", "int 36"
    TRY "int 37", "int 37"
    TRY "int 38", "int 38"
    TRY "int 48", "int 48"
    SAY 32, "int 39: "
    mov dword ptr [at], offset 1f
    GATE 39, handler16, 0x86
    int 39
1:
    TRY "int3", "int3"
    TRY "int1", ".byte 0xf1"
    TRY "ud2", "ud2"
    GATE 13, stub13, 0x0e               # absent: a double fault
    xor eax, eax
    mov fs, ax
    TRY "double", "mov al, fs:[0]"
    GATE 13, stub13, 0x8e, 0x8          # and back
    GATE 6, stub6, 0x8e, ABSENT_CODE
    TRY "ud np", "ud2"
    GATE 6, stub6, 0x8e
    sti
    call print_flags
    TRY "sti int", "int 32"
    TRY "trap", "int 34"
    cli

    SAY 32, "-- control\n"
    mov eax, 0x80000010
    TRY "pg", "mov cr0, eax"
    mov eax, 0x20000011
    TRY "nw", "mov cr0, eax"
    mov eax, 0x80000000
    TRY "cr4", "mov cr4, eax"
    mov ecx, 0x2345
    TRY "rdmsr", "rdmsr"
    TRY "wrmsr", "wrmsr"
    TRY "cr5", ".byte 0x0f, 0x20, 0xe8"
    mov ecx, 0x174
    mov eax, 0x1234
    xor edx, edx
    wrmsr
    xor eax, eax
    rdmsr
    PRINT 4, eax
    smsw ax
    lmsw ax
    and ax, 0xe
    lmsw ax                             # PE stays
    smsw eax
    PRINT 8, eax
    mov eax, cr0
    or eax, 8
    mov cr0, eax
    smsw ax
    movzx eax, ax
    PRINT 4, eax
    clts
    smsw ax
    movzx eax, ax
    PRINT 4, eax
    call line32
    jmp ring3

small_start:
    nop
    nop
    jmp small_last
small_branch:
    jmp small_end + 1
small_last:
    nop
small_end:
    nop
    nop

ring3:
    SAY 32, "-- ring 3\n"
    .irp flags, 0x2, 0x3002
    TRY3 "cli \flags", \flags, "cli"
    TRY3 "popf \flags", \flags, "push 0x3200; popfd"
    TRY3 "in e9 \flags", \flags, "in al, 0xe9"
    TRY3 "in e8 \flags", \flags, "in al, 0xe8"
    TRY3 "in e9 word \flags", \flags, "in ax, 0xe9"
    TRY3 "in f0 \flags", \flags, "in al, 0xf0"
    .endr
    mov edx, 0x400
    TRY3 "in dx", 2, "in al, dx"
    TRY3 "hlt", 2, "hlt"
    TRY3 "cr0", 2, "mov eax, cr0"
    TRY3 "dr0", 2, "mov eax, dr0"
    TRY3 "clts", 2, "clts"
    TRY3 "lgdt", 2, "lgdt [table]"
    TRY3 "lldt", 2, "lldt ax"
    TRY3 "lmsw", 2, "lmsw ax"
    TRY3 "smsw", 2, "smsw ax"
    TRY3 "rdmsr", 2, "rdmsr"
    TRY3 "invd", 2, "invd"
    TRY3 "wbinvd", 2, "wbinvd"
    TRY3 "invlpg", 2, "invlpg [eax]"
    TRY3 "int 32", 2, "int 32"
    TRY3 "int3", 2, "int3"
    TRY3 "int1", 2, ".byte 0xf1"
    TRY3 "int 35", 2, "int 35"
    mov ax, DATA32
    TRY3 "ds", 2, "mov ds, ax"
    TRY3 "jmp", 2, "ljmp CODE32, offset start32"
    TRY3 "jmp gate", 2, "ljmp GATE_CALL, 0"
    TRY3 "jmp tss", 2, "ljmp TSS_B, 0"
    TRY3 "retf", 2, "push CODE32; push 0; retf"
    TRY3 "conforming", 2, "lcall CONFORMING, offset ring3_conforming"
    TRY3 "gate", 2, "push 0x11111111; push 0x22222222; lcall GATE_CALL, 0"
    TRY3 "gate16", 2, "push 0x33334444; lcall GATE_16, 0"
    TRY3 "null ds", 2, "mov al, [0]"      # IRET has taken DS away
    mov ax, DATA3
    mov ds, ax
    TRY3 "ds stays", 2, "mov al, [at]"
    mov eax, cr0
    or eax, 0x40000                     # AM
    mov cr0, eax
    TRY3 "ac", 0x40002, "mov eax, ss:[at + 1]"
    TRY3 "ac byte", 0x40002, "mov al, ss:[at + 1]"
    TRY3 "ac word", 0x40002, "push ax; push eax"
    TRY "ac 0", "mov eax, [at + 1]"
    mov ecx, 0x174
    mov eax, CODE32
    xor edx, edx
    wrmsr
    inc ecx
    mov eax, STACK_TSS
    wrmsr
    inc ecx
    mov eax, offset sysenter_target
    wrmsr
    TRY3 "sysenter", 0x202, "mov ecx, esp; mov edx, offset sysexit_target; sysenter; sysexit_target:"
    TRY "sysexit", "mov ecx, STACK3; mov edx, offset sysexit_target2; sysexit; sysexit_target2:"
    mov ecx, 0x174
    xor eax, eax
    xor edx, edx
    wrmsr
    TRY3 "sysenter 0", 2, "sysenter"
    TRY "sysexit 0", "sysexit"
    jmp debug

sysenter_target:
    pushfd
    pop eax
    and eax, 0x37700
    SAY 32, "sysenter "
    PRINT 5, eax
    mov ax, cs
    movzx eax, ax
    PRINT 4, eax
    mov ax, ss
    movzx eax, ax
    PRINT 4, eax
    PRINT 6, esp
    call line32
    sysexit

ring3_conforming:
    mov ax, cs
    movzx eax, ax
    mov edi, eax
    retf

debug:
    mov ax, DATA32
    mov ds, ax
    SAY 32, "-- debug\n"
    .macro DR6
    mov eax, dr6
    PRINT 8, eax
    mov eax, 0xffff0ff0
    mov dr6, eax
    call line32
    .endm
    TRY "step", "pushfd; or dword ptr [esp], 0x100; popfd; nop; nop"
    DR6
    TRY "step rep", "mov ecx, 3; mov esi, offset at; pushfd; or dword ptr [esp], 0x100; popfd; rep lodsb"
    PRINT 2, ecx
    DR6
    mov eax, offset break_here
    mov dr0, eax
    mov eax, 0x402
    mov dr7, eax
    mov dword ptr [at], offset break_here
    mov dword ptr [resume], offset 1f
    nop
break_here:
    nop
1:  DR6
    # over it with RF
    mov dword ptr [resume], offset 1f
    pushfd
    or dword ptr [esp], 0x10000
    push cs
    push offset break_here2
    mov eax, offset break_here2
    mov dr0, eax
    mov dword ptr [at], eax
    iretd
break_here2:
    nop
    SAY 32, "rf\n"
    jmp break_here2
1:  DR6
    xor eax, eax
    mov dr7, eax
    mov eax, offset word_value
    mov dr1, eax
    mov eax, 0x00500404 | 8             # DR1: write, 2 bytes
    mov dr7, eax
    TRY "watch read", "mov ax, [word_value]"
    DR6
    TRY "watch write", "mov byte ptr [word_value + 1], 1"
    DR6
    TRY "watch next", "mov byte ptr [word_value + 2], 1"
    DR6
    mov eax, 0x00f00404 | 8             # read or write, 4 bytes
    mov dr7, eax
    TRY "watch both", "mov ax, [word_value + 2]"
    DR6
    TRY "watch push", "push dword ptr [word_value]"
    DR6
    TRY "watch rep", "mov edi, offset word_value; mov ecx, 8; rep stosb"
    PRINT 2, ecx
    DR6
    TRY "watch ss", "mov ss, [ss_value]; nop"
    DR6
    mov eax, offset ss_value
    mov dr1, eax
    TRY "watch ss", "mov ss, [ss_value]; nop; nop"
    DR6
    mov eax, 0x400
    mov dr7, eax
    mov eax, cr4
    or eax, 8
    mov cr4, eax
    TRY "dr4", ".byte 0x0f, 0x21, 0xe0"
    mov eax, 0xe8
    mov dr2, eax
    mov eax, 0x02000410 | 0x20
    mov dr7, eax
    TRY "io", "in al, 0xe8; nop"
    DR6
    mov eax, 0x2400
    mov dr7, eax
    # RF is set in the image (SDM 3B 17.3.1.1); Bochs leaves it clear
    TRY "gd", "mov eax, dr0"
    mov eax, dr7
    PRINT 8, eax
    DR6
    FINISH 32
ss_value: .long DATA32
ROM_END
