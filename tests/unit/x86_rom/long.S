# Long mode: entry, the 64-bit IDT, IST, SYSCALL, compatibility mode, non-canonical addresses.
.include "rom.inc"
.include "prot.inc"

.set CODE64, 0x18
.set USER32, 0x23           # SYSRET: 0x20 + 0, + 8, + 16
.set USERDATA, 0x2b
.set USER64, 0x33
.set TSS64, 0x38            # and 0x40
.set GATE64, 0x4b           # DPL 3, to gate64; and 0x50
.set BOTH, 0x58             # L and D
.set CONF64, 0x60
.set GATE32, 0x6b           # a gate to 32-bit code; and 0x70
.set END, 0x78
.set STACK_IST, 0x2b008     # not aligned

.macro PRINT64 digits, value:vararg
    push rax
    push rcx
    mov rax, \value
    mov cl, \digits
    call hex64
    pop rcx
    pop rax
.endm

.macro STUB64 n, error
stub64_\n:
    .if \error == 0
    push 0
    .endif
    push \n
    jmp report64
.endm

.macro GATE64 n, handler, kind, ist=0, selector=CODE64
    mov word ptr [idt + \n * 16], offset \handler
    mov word ptr [idt + \n * 16 + 2], \selector
    mov word ptr [idt + \n * 16 + 4], \kind << 8 | \ist
.endm

.macro TRY64 name, insn
    SAY 64, "\name: "
    mov qword ptr [at], offset try_at\@
    mov qword ptr [resume], offset try_end\@
try_at\@:
    \insn
    SAY 64, "none\n"
try_end\@:
.endm

# In ring 3, 64-bit code.
.macro USER name, insn
    SAY 64, "\name: "
    mov qword ptr [at], offset try_at\@
    mov qword ptr [resume], offset try_end\@
    push USERDATA
    push STACK3
    push 0x202
    push USER64
    push offset try_at\@
    iretq
try_at\@:
    \insn
    int 33
try_end\@:
.endm

# In compatibility mode of ring 3; the code is in 32 bits.
.macro COMPAT name, insn
    SAY 64, "\name: "
    mov qword ptr [at], offset try_at\@
    mov qword ptr [resume], offset try_end\@
    push USERDATA
    push STACK3
    push 0x202
    push USER32
    push offset try_at\@
    iretq
    .code32
try_at\@:
    \insn
    int 33
    .code64
try_end\@:
.endm

main:
    lgdt [gdt_pointer]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    ljmp CODE32, offset start32

    .code32
    .balign 8
gdt:
    .quad 0
    DESC 0, 0xfffff, 0x9a, 0xc          # CODE32
    DESC 0, 0xfffff, 0x92, 0xc          # DATA32
    DESC 0, 0xfffff, 0x9a, 0xa          # CODE64
    DESC 0, 0xfffff, 0xfa, 0xc          # USER32
    DESC 0, 0xfffff, 0xf2, 0xc          # USERDATA
    DESC 0, 0xfffff, 0xfa, 0xa          # USER64
    DESC tss, 0x67, 0x89, 0             # TSS64
    .quad 0
    .word gate64, CODE64, 0xec00, 0     # GATE64
    .quad 0
    DESC 0, 0xfffff, 0x9a, 0xe          # BOTH
    DESC 0, 0xfffff, 0x9e, 0xa          # CONF64
    .word gate64, CODE32, 0xec00, 0     # GATE32
    .quad 0
gdt_pointer:
    .word END - 1
    .long gdt, 0
    .balign 8
idt:
    .fill 48 * 16, 1, 0
idt_pointer:
    .word 48 * 16 - 1
    .quad idt
tss:
    .long 0
    .quad STACK_TSS + 8, 0, 0, 0
    .quad STACK_IST, 0, 0, 0, 0, 0, 0, 0
    .word 0, 0x68
at: .quad 0
resume: .quad 0
# With REX.W, Intel's and AMD's pointers differ.
far_64: .long long_far
    .word CODE64
far_compat: .long compat_far
    .word USER32
far_gate: .long 0
    .word GATE64
far_gate32: .long 0
    .word GATE32
far_both: .long 0
    .word BOTH
far_conf: .long conf_far
    .word CONF64
far_data: .long 0
    .word DATA32

# Identity-maps the first 2 MiB for all.
start32:
    mov ax, DATA32
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, STACK0
    xor eax, eax
    mov edi, PAGES
    mov ecx, 0x1000
1:  mov [edi], eax
    add edi, 4
    dec ecx
    jnz 1b
    mov dword ptr [PAGES], PAGES + 0x1007
    mov dword ptr [PAGES + 0x1000], PAGES + 0x2007
    mov dword ptr [PAGES + 0x2000], 0x87
    mov ecx, 0xc0000080
    mov eax, 0x101                      # SCE, LME
    xor edx, edx
    wrmsr
    mov eax, cr4
    or eax, 0x620                       # PAE, OSFXSR, OSXMMEXCPT
    mov cr4, eax
    mov eax, PAGES
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    ljmp CODE64, offset start64

ROUTINES 32, e, esi
compat_far:
    int 34
compat_again:
    int 34

    .code64
ROUTINES 64, r, rsi
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 9, 15, 16, 18, 19, 32, 33, 34, 35, 36
    STUB64 \n, 0
    .endr
    .irp n, 8, 10, 11, 12, 13, 14, 17
    STUB64 \n, 1
    .endr
report64:
    mov rbp, rsp
    SAY 64, "vector "
    PRINT64 2, [rbp]
    PRINT64 4, [rbp + 8]
    mov rax, [rbp + 16]
    sub rax, [at]
    PRINT64 4, rax
    PRINT64 4, [rbp + 24]
    mov rax, [rbp + 32]
    and eax, 0x37700
    PRINT64 5, rax
    PRINT64 6, [rbp + 40]
    PRINT64 4, [rbp + 48]
    mov ax, ss
    movzx eax, ax
    PRINT64 4, rax
    lea rax, [rbp]
    PRINT64 6, rax
    call line64
    mov rsp, STACK0
    jmp [resume]

long_far:
    SAY 64, "far\n"
    retf
conf_far:
    mov ax, cs
    movzx edi, ax
    retf
gate64:
    SAY 64, "gate "
    PRINT64 6, [rsp + 16]
    PRINT64 4, [rsp + 24]
    PRINT64 6, [rsp + 32]
    PRINT64 4, [rsp + 40]
    mov ax, ss
    movzx eax, ax
    PRINT64 4, rax
    call line64
    rex.w retf
kernel:
    SAY 64, "syscall "
    mov rax, rcx
    sub rax, [at]
    PRINT64 4, rax
    mov rax, r11
    and eax, 0x37700
    PRINT64 5, rax
    pushfq
    pop rax
    and eax, 0x37700
    PRINT64 5, rax
    mov ax, cs
    movzx eax, ax
    PRINT64 4, rax
    mov ax, ss
    movzx eax, ax
    PRINT64 4, rax
    call line64
    rex.w sysret
kernel32:
    mov rax, rcx
    mov rsp, STACK_TSS
    SAY 64, "cstar "
    sub rax, [at]
    PRINT64 4, rax
    mov ax, cs
    movzx eax, ax
    PRINT64 4, rax
    call line64
    mov rsp, STACK3
    .byte 0x0f, 0x07                    # SYSRET to compatibility mode

start64:
    lidt [idt_pointer]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 32
    GATE64 \n, stub64_\n, 0x8e
    .endr
    GATE64 3, stub64_3, 0xee
    GATE64 33, stub64_33, 0xee
    GATE64 34, stub64_34, 0xef
    GATE64 35, stub64_35, 0xee, 1
    GATE64 36, stub64_36, 0xee, 0, CODE32
    GATE64 37, stub64_36, 0xe6          # no such type
    GATE64 38, stub64_36, 0xe5
    GATE64 39, stub64_36, 0x6e
    mov ax, TSS64
    ltr ax
    mov ecx, 0xc0000080
    rdmsr
    PRINT64 4, rax
    mov rax, cr0
    PRINT64 8, rax
    mov rax, cr4
    PRINT64 8, rax
    movzx eax, byte ptr [gdt + TSS64 + 5]
    PRINT64 2, rax
    call line64

    TRY64 "ud2", "ud2"
    TRY64 "int 32", "int 32"
    sub rsp, 8
    TRY64 "unaligned", "int 34"
    TRY64 "ist", "int 35"
    TRY64 "int 36", "int 36"
    TRY64 "int 37", "int 37"
    TRY64 "int 38", "int 38"
    TRY64 "int 39", "int 39"
    TRY64 "int 48", "int 48"
    TRY64 "into", ".byte 0xce"
    TRY64 "push es", ".byte 0x06"
    TRY64 "lds", ".byte 0xc5, 0x00"
    TRY64 "jmp ptr", ".byte 0xea, 0, 0, 0, 0, 8, 0"
    mov rbx, 0x800000000000
    TRY64 "gp", "mov [rbx], eax"
    TRY64 "ss", "mov rbp, rbx; mov eax, [rbp]"
    TRY64 "gp push", "push [rbx]"
    TRY64 "pf", "mov [0x300000], eax"
    mov rax, cr2
    PRINT64 8, rax
    GATE64 8, stub64_8, 0x8e, 1
    TRY64 "df pf", "mov rsp, 0x300000; push rax"
    mov rax, cr2
    PRINT64 8, rax
    TRY64 "df ss", "mov rsp, 0x800000001000; push rax"
    GATE64 13, stub64_13, 0x8e, 0, CODE32
    TRY64 "df gp", "mov [rbx], eax"
    GATE64 13, stub64_13, 0x8e
    GATE64 14, stub64_14, 0x0e
    TRY64 "df np", "mov [0x300000], eax"
    GATE64 14, stub64_14, 0x8e
    TRY64 "wrbase", "mov ecx, 0xc0000100; xor eax, eax; mov edx, 0x8000; wrmsr"
    TRY64 "lstar", "mov ecx, 0xc0000082; xor eax, eax; mov edx, 0x8000; wrmsr"
    TRY64 "pae off", "mov rax, 0; mov cr4, rax"
    TRY64 "pg off", "mov rax, 0x11; mov cr0, rax"
    TRY64 "cr0 high", "mov rax, cr0; bts rax, 32; mov cr0, rax"
    TRY64 "cr3 high", "mov rax, cr3; bts rax, 62; mov cr3, rax"
    TRY64 "dr7 high", "mov rax, dr7; bts rax, 32; mov dr7, rax"
    TRY64 "cr8", "mov eax, 5; mov cr8, rax; mov rdx, cr8; cmp edx, eax; je 1f; ud2; 1:"
    TRY64 "cr8 high", "mov eax, 16; mov cr8, rax"
    TRY64 "efer", "mov ecx, 0xc0000080; rdmsr; btr eax, 8; wrmsr"
    TRY64 "lldt", "mov ax, CODE64; lldt ax"
    TRY64 "ltr", "mov ax, 0x40; ltr ax"
    TRY64 "ss null", "xor eax, eax; mov ss, ax; push rax; pop rax"
    TRY64 "ss 3", "mov ax, 3; mov ss, ax"
    TRY64 "ss back", "mov ax, DATA32; mov ss, ax"
    TRY64 "ds null", "xor eax, eax; mov ds, ax; mov al, [at]"
    TRY64 "movaps", "movaps xmm0, [at + 1]"
    TRY64 "far call", "lcall [far_64]"
    TRY64 "far both", "ljmp [far_both]"
    TRY64 "far data", "ljmp [far_data]"
    TRY64 "far tss", "ljmp [far_tss]"
    TRY64 "gate", "lcall [far_gate]"
    TRY64 "gate32", "lcall [far_gate32]"
    TRY64 "retf", "push DATA32; push 0; rex.w retf"
    TRY64 "iret nt", "pushfq; or dword ptr [rsp], 0x4000; popfq; iretq"
    pushfq
    and dword ptr [rsp], 0xffffbfff
    popfq
    TRY64 "iret null", "push 0; push 0; push 2; push 0; push 0; iretq"
    TRY64 "iret rip", "mov rax, 0x800000000000; push DATA32; push rsp; push 2; push CODE64; push rax; iretq"
    TRY64 "step", "pushfq; or dword ptr [rsp], 0x100; popfq; nop; nop"

    # bases
    mov ecx, 0xc0000101
    mov eax, 0x11110000
    mov edx, 0x2222
    wrmsr
    mov ecx, 0xc0000102
    mov eax, 0x33330000
    mov edx, 0x4444
    wrmsr
    swapgs
    mov ecx, 0xc0000101
    rdmsr
    PRINT64 8, rax
    PRINT64 8, rdx
    swapgs
    rdmsr
    PRINT64 8, rax
    mov ax, DATA32
    mov gs, ax
    rdmsr
    PRINT64 8, rax
    PRINT64 8, rdx
    call line64

    SAY 64, "-- ring 3\n"
    mov ecx, 0xc0000081                 # STAR
    xor eax, eax
    mov edx, 0x00230018                 # SYSRET to USER32 and what follows, SYSCALL to CODE64
    wrmsr
    mov ecx, 0xc0000082
    mov eax, offset kernel
    xor edx, edx
    wrmsr
    mov ecx, 0xc0000083
    mov eax, offset kernel32
    wrmsr
    mov ecx, 0xc0000084
    mov eax, 0x300                      # IF, TF
    wrmsr
    USER "nop", "nop"
    USER "ist", "int 35"
    USER "cli", "cli"
    USER "hlt", "hlt"
    USER "swapgs", "swapgs"
    USER "sysret", "rex.w sysret"
    USER "rdmsr", "rdmsr"
    USER "gp", "mov rax, 0x800000000000; mov [rax], eax"
    USER "ss push", "mov rsp, 0x800000000010; push rax"
    USER "ss pop", "mov rsp, 0x800000000000; pop rax"
    USER "syscall", "syscall"
    USER "gate", "lcall [far_gate]"
    USER "conforming", "lcall [far_conf]"
    USER "to compat", "ljmp [far_compat]"
    USER "retf compat", "push USER32; push offset compat_again; rex.w retf"
    USER "iret compat", "push USERDATA; push STACK3; push 2; push USER32; push offset compat_again; iretq"
    USER "rdfsbase", "rdfsbase rax"

    SAY 64, "-- compatibility mode\n"
    COMPAT "nop", "nop"
    COMPAT "wrap", "mov ecx, USERDATA; mov ds, ecx; mov eax, 0xffffffff; mov al, [eax + at + 1]"
    COMPAT "r8", ".byte 0x41, 0x90"     # INC ECX, NOP
    COMPAT "push", "push eax; push es; pop es; pop eax"
    COMPAT "ss", "mov eax, ss; mov ss, eax"
    COMPAT "null", "xor eax, eax; mov ds, eax; mov al, [at]"
    COMPAT "to 64", "ljmp USER64, offset compat_64"
    COMPAT "gate", "lcall GATE64, 0"
    COMPAT "int 35", "int 35"
    COMPAT "iret tss", "ljmp TSS64, 0"
    COMPAT "bound", "mov eax, offset at; push 5; push 0; bound eax, [esp]"
    COMPAT "syscall", "syscall"
    FINISH 64
compat_64:
    mov rax, 0x123456789
    int 34
far_tss: .long 0
    .word TSS64
ROM_END
