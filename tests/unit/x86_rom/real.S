# Real mode: the vector table, IRET, far transfers, single steps, faults without error codes.
.include "rom.inc"
ROUTINES 16, e, si

.macro PRINT digits, value:vararg
    push eax
    push ecx
    mov eax, \value
    mov cl, \digits
    call hex16
    pop ecx
    pop eax
.endm

.macro VECTOR n, handler
    mov word ptr [\n * 4], offset \handler
    mov word ptr [\n * 4 + 2], 0
.endm

# Reports vector N: IP relative to [at], FLAGS image, FLAGS now; goes to [resume].
.macro HANDLER n
handler\n:
    mov bp, sp
    SAY 16, "vector \n "
    mov ax, [bp]
    sub ax, [at]
    movzx eax, ax
    PRINT 4, eax
    movzx eax, word ptr [bp + 2]
    PRINT 4, eax
    movzx eax, word ptr [bp + 4]
    and eax, 0x7700
    PRINT 4, eax
    pushf
    pop ax
    and eax, 0x7700
    PRINT 4, eax
    call line16
    mov sp, 0xfff0
    jmp word ptr [resume]
.endm

.macro TRY name, insn:vararg
    SAY 16, "\name: "
    mov word ptr [at], offset try_at\@
    mov word ptr [resume], offset try_end\@
try_at\@:
    \insn
    SAY 16, "none\n"
try_end\@:
.endm

at: .word 0
resume: .word 0
far_pointer: .word far_target, 0
pointer32: .long 0x12345678
    .word 0x4321
bounds: .word 10, 20

HANDLER 0
HANDLER 3
HANDLER 4
HANDLER 5
HANDLER 6
HANDLER 13
HANDLER 64

far_target:
    SAY 16, "far target "
    retf

far_drop:
    mov ax, sp
    SAY 16, "far drop "
    retf 4

# Counts and reports the IP of each step.
stepper:
    push bp
    mov bp, sp
    push eax
    movzx eax, word ptr [bp + 2]
    sub ax, [at]
    PRINT 2, eax
    pop eax
    pop bp
    iret

main:
    SAY 16, "reset "
    smsw ax
    movzx eax, ax
    PRINT 4, eax
    mov eax, cr0
    PRINT 8, eax
    call line16
    VECTOR 0, handler0
    VECTOR 1, stepper
    VECTOR 3, handler3
    VECTOR 4, handler4
    VECTOR 5, handler5
    VECTOR 6, handler6
    VECTOR 13, handler13
    VECTOR 0x40, handler64

    xor cx, cx
    mov ax, 1
    TRY "div 0", div cx
    TRY "int3", int3
    push 0x3602
    popf
    TRY "int 40", int 0x40
    cli
    TRY "ud2", ud2
    TRY "mov cs", .byte 0x8e, 0xc8
    TRY "lldt", .byte 0x0f, 0x00, 0xd0
    mov ax, 9
    TRY "bound low", bound ax, [bounds]
    mov ax, 20
    TRY "bound in", bound ax, [bounds]
    mov ax, 0x7fff
    add ax, 1
    TRY "into", into
    mov ax, 1
    add ax, 1
    TRY "into not", into
    TRY "wrap", mov ax, [0xffff]
    mov ebx, 0x10000
    TRY "limit", mov al, [ebx]
    TRY "byte", mov al, [0xffff]
    TRY "jmp", .byte 0x66, 0xe9, 0, 0, 1, 0
    TRY "lock", .byte 0xf0, 0x90
    TRY "cr0", mov cr0, eax
    mov eax, 0x80000010
    TRY "cr0 pg", mov cr0, eax
    mov eax, 0x20000010
    TRY "cr0 nw", mov cr0, eax
    mov eax, 0x80000000
    TRY "cr4", mov cr4, eax
    mov ecx, 0x12345
    TRY "rdmsr", rdmsr
    TRY "cr1", .byte 0x0f, 0x20, 0xc8

    # far transfers
    lcall 0, offset far_target
    lcall [far_pointer]
    push 1
    push 2
    mov bx, sp
    lcall 0, offset far_drop
    sub bx, sp
    movsx eax, bx
    PRINT 4, eax
    call line16
    # IRET, 16 and 32 bits; a selector with a base of its own
    pushf
    push 0
    push offset 1f
    iret
1:  SAY 16, "iret "
    pushfd
    push dword ptr 0x10
    push dword ptr offset 2f - 0x100
    iretd
2:  mov ax, cs
    movzx eax, ax
    PRINT 4, eax
    ljmp 0, offset 3f
3:  SAY 16, "iretd\n"

    # pointers
    lds si, [far_pointer]
    les edi, [pointer32]
    mov ax, es
    movzx eax, ax
    PRINT 4, eax
    PRINT 8, edi
    mov ax, ds
    movzx eax, ax
    PRINT 4, eax
    mov ax, 0x100
    mov fs, ax
    movzx eax, word ptr fs:[0]  # the image begins at 0x1000
    PRINT 4, eax
    push fs
    pop gs
    movzx eax, word ptr gs:[0]
    PRINT 4, eax
    call line16

    # single steps: MOV SS puts one off
    SAY 16, "steps "
    mov word ptr [at], offset step_begin
    pushf
    pop ax
    or ax, 0x100
    push ax
    popf
step_begin:
    nop
    mov ax, ss
    mov ss, ax
    nop
    mov ax, 1
    push ax
    pop ax
    nop
    pushf
    pop ax
    and ax, 0xfeff
    push ax
    popf
    nop
    call line16

    # limits stay as protected mode has left them
    lgdt [gdt_pointer]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    mov bx, 8
    mov fs, bx
    and al, 0xfe
    mov cr0, eax
    mov ebx, 0x20000
    TRY "big", mov dword ptr fs:[ebx], 0x11223344
    xor ax, ax
    mov fs, ax
    TRY "still big", mov eax, fs:[ebx]
    TRY "small", mov eax, [ebx]
    FINISH 16

    .balign 8
gdt:
    .quad 0, 0x00cf93000000ffff
gdt_pointer:
    .word 15
    .long gdt
ROM_END
