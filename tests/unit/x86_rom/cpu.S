# What newer CPUs have for kernels: XCR0, UMIP, FSGSBASE, TSD, RDPID, INVPCID, SMAP's instructions.
.include "long.inc"
    mov ecx, 0xc0000103                 # TSC_AUX
    mov eax, 0x1234
    xor edx, edx
    wrmsr
    TRY64 "xgetbv off", "xor ecx, ecx; xgetbv"
    TRY64 "xsetbv off", "xor ecx, ecx; xsetbv"
    TRY64 "rdfsbase off", "rdfsbase rax"
    TRY64 "cr4 15", "mov rax, cr4; bts eax, 15; mov cr4, rax"
    TRY64 "cr4 high", "mov rax, cr4; bts rax, 32; mov cr4, rax"
    mov rax, cr4
    or eax, 0x50804                     # OSXSAVE, FSGSBASE, UMIP, TSD
    mov cr4, rax
    mov rax, cr4
    PRINT64 8, rax
    call line64
    .irp v, 0, 1, 2, 3, 4, 5, 7, 0x407
    TRY64 "xcr0 \v", "xor ecx, ecx; xor edx, edx; mov eax, \v; xsetbv"
    xor ecx, ecx
    xgetbv
    PRINT64 4, rax
    .endr
    TRY64 "xcr1", "mov ecx, 1; mov eax, 1; xsetbv"
    TRY64 "xcr0 high", "xor ecx, ecx; mov edx, 1; mov eax, 7; xsetbv"
    mov rax, 0x123456789a
    wrfsbase rax
    mov eax, 0x9abcdef0
    wrgsbase eax
    rdfsbase rbx
    PRINT64 8, rbx
    shr rbx, 32
    PRINT64 8, rbx
    rdgsbase ebx
    PRINT64 8, rbx
    mov ecx, 0xc0000100
    rdmsr
    PRINT64 8, rax
    PRINT64 8, rdx
    rdpid rax
    PRINT64 8, rax
    call line64
    TRY64 "wrfsbase", "mov rax, 0x800000000000; wrfsbase rax"
    TRY64 "rdtsc", "rdtsc"
    TRY64 "stac", "stac"
    pushfq
    pop rax
    shr eax, 16
    PRINT64 4, rax
    TRY64 "clac", "clac"
    pushfq
    pop rax
    shr eax, 16
    PRINT64 4, rax
    TRY64 "invpcid 0", "mov eax, 0; invpcid rax, [pcid]"
    TRY64 "invpcid 0 bad", "mov eax, 0; invpcid rax, [pcid_bad]"
    TRY64 "invpcid 1 pcid", "mov eax, 1; invpcid rax, [pcid_1]"
    TRY64 "invpcid 2", "mov eax, 2; invpcid rax, [pcid]"
    TRY64 "invpcid 4", "mov eax, 4; invpcid rax, [pcid]"
    TRY64 "pcide", "mov rax, cr4; bts eax, 17; mov cr4, rax"
    TRY64 "pcid", "mov rax, cr3; or rax, 5; mov cr3, rax; mov rax, cr3; cmp al, 5; je 1f; ud2; 1:"
    TRY64 "pcid keep", "mov rax, cr3; bts rax, 63; mov cr3, rax"
    mov rax, cr3
    PRINT64 8, rax
    shr rax, 32
    PRINT64 8, rax
    TRY64 "invpcid 1", "mov eax, 1; invpcid rax, [pcid_1]"
    TRY64 "pcide off", "mov rax, cr4; btr eax, 17; mov cr4, rax"
    mov rax, cr3
    mov al, 0
    mov cr3, rax

    SAY 64, "-- ring 3\n"
    USER "sgdt", "sgdt [table]"
    USER "sidt", "sidt [table]"
    USER "sldt", "sldt ax"
    USER "str", "str ax"
    USER "smsw", "smsw ax"
    USER "rdtsc", "rdtsc"
    USER "rdtscp", "rdtscp"
    USER "rdpid", "rdpid rax"
    USER "xgetbv", "xor ecx, ecx; xgetbv"
    USER "xsetbv", "xor ecx, ecx; xgetbv; xsetbv"
    USER "rdfsbase", "rdfsbase rax"
    USER "stac", "stac"
    USER "clac", "clac"
    USER "invpcid", "invpcid rax, [pcid]"
    mov rax, cr4
    btr eax, 11
    btr eax, 2
    mov cr4, rax
    USER "sldt on", "sldt ax"
    USER "rdtsc on", "rdtsc"
    FINISH 64
table: .fill 10, 1, 0
pcid: .quad 0, 0x1000
pcid_1: .quad 1, 0x1000
pcid_bad: .quad 0, 0x800000000000
ROM_END
