# Long mode: entry, the 64-bit IDT, IST, SYSCALL, compatibility mode, non-canonical addresses.
.include "long.inc"
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
