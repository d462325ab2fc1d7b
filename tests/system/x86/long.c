/* 64-bit and compatibility mode: exceptions and what is pushed for them, canonical addresses,
 * IRETQ, far transfers between the modes (SDM 3A 6.14, 5.8). */
#include "lib.h"

static void faults(void)
{
    TRY("#DE", "xor %%ecx, %%ecx\n div %%ecx");
    TRY("#BP", "int3");
    TRY("icebp", ".byte 0xf1");
    TRY("#UD ud2", "ud2");
    TRY("int 0x31", "int $0x31");
    TRY("int without entry", "int $0x50");
    TRY("into", ".byte 0xce");
    TRY("bound", ".byte 0x62, 0x00, 0x00, 0x00, 0x00, 0x00");
    TRY("push es", ".byte 0x06");
    TRY("pop ds", ".byte 0x1f");
    TRY("pusha", ".byte 0x60");
    TRY("daa", ".byte 0x27");
    TRY("aam", ".byte 0xd4, 0x0a");
    TRY("far call immediate", ".byte 0x9a, 0, 0, 0, 0, 0, 0");
    TRY("far jump immediate", ".byte 0xea, 0, 0, 0, 0, 0, 0");
    TRY("salc", ".byte 0xd6");
    TRY("82 group", ".byte 0x82, 0xc0, 0x01");
    TRY("lds", ".byte 0xc5, 0x00, 0x00");
    TRY("arpl is movsxd", ".byte 0x63, 0xc0");
    TRY("lock nop", ".byte 0xf0, 0x90");
    TRY("mov cs", ".byte 0x8e, 0xc8");
    TRY("#GP rdmsr", "mov $0x12345678, %%ecx\n rdmsr");
    TRY("null ss in ring 0", "xor %%eax, %%eax\n mov %%ax, %%ss");
    TRY("null ds is read", "xor %%eax, %%eax\n mov %%ax, %%ds\n mov 0x600, %%eax");
    TRY("ss with rpl 3", "mov $0x23, %%eax\n mov %%ax, %%ss");
    TRY("ds beyond the gdt", "mov $0x3000, %%eax\n mov %%ax, %%ds");
    TRY("ltr busy", "mov $0x48, %%eax\n ltr %%ax");
    TRY("mov to cr1", ".byte 0x0f, 0x22, 0xc8");
    TRY("#PF", "mov $0x40000000, %%rax\n mov (%%rax), %%eax");
    TRY("#PF write", "mov $0x40000000, %%rax\n mov %%eax, (%%rax)");
    TRY("#PF fetch", "mov $0x40000000, %%rax\n mov %%rax, at\n jmp *%%rax");
}

static void canonical(void)
{
    tss[9] = TSS_STACK - 0x400; /* IST1, for a stack pointer that is no use */
    idt[12 * 2] |= 1ull << 32;
    idt[13 * 2] |= 1ull << 32; /* QEMU's choice */
    TRY("load", "mov $0x800000000000, %%rax\n mov (%%rax), %%eax");
    TRY("load by rsp", "mov $0x800000000000, %%rsp\n mov (%%rsp), %%eax");
    TRY("load by rbp", "mov $0x800000000000, %%rbp\n mov (%%rbp), %%eax");
    reset_gate(12);
    reset_gate(13);
    TRY("store", "mov $0xffff7fffffffffff, %%rax\n mov %%eax, (%%rax)");
    TRY("last canonical", "mov $0x7ffffffffffe, %%rax\n mov (%%rax), %%eax");
    TRY("string", "mov $0x800000000000, %%rsi\n lodsb");
    TRY("jmp", "mov $0x800000000000, %%rax\n jmp *%%rax");
    TRY("call", "mov $0x800000000000, %%rax\n call *%%rax");
    TRY("ret", "mov $0x800000000000, %%rax\n push %%rax\n ret");
    TRY("wrmsr fs base", "mov $0xc0000100, %%ecx\n mov $0x8000, %%edx\n xor %%eax, %%eax\n wrmsr");
    TRY("wrmsr lstar", "mov $0xc0000082, %%ecx\n mov $0x8000, %%edx\n xor %%eax, %%eax\n wrmsr");
    TRY("wrmsr sysenter eip", "mov $0x176, %%ecx\n mov $0x8000, %%edx\n xor %%eax, %%eax\n wrmsr");
    TRY("invlpg", "mov $0x800000000000, %%rax\n invlpg (%%rax)");
    TRY("lea and nop", "mov $0x800000000000, %%rax\n lea 8(%%rax), %%rbx\n nopl (%%rax)");
    TRY("prefetch", "mov $0x800000000000, %%rax\n prefetcht0 (%%rax)");
}

static void user(void)
{
    TRY3("user: nothing", "nop");
    TRY3("user: #DE", "xor %%ecx, %%ecx\n div %%ecx");
    TRY3("user: int3", "int3");
    TRY3("user: ud2", "ud2");
    TRY3("user: cli", "cli");
    TRY3("user: hlt", "hlt");
    TRY3("user: in", "in $0x80, %%al");
    TRY3("user: int 0x31", "int $0x31");
    TRY3("user: mov cr8", "mov %%cr8, %%rax");
    TRY3("user: swapgs", "swapgs");
    TRY3("user: wrmsr", "wrmsr");
    TRY3("user: sysret", "sysretq");
    TRY3("user: ss of ring 0", "mov $0x10, %%eax\n mov %%ax, %%ss");
    TRY3("user: null ss", "xor %%eax, %%eax\n mov %%ax, %%ss");
    TRY3("user: odd rsp", "sub $5, %%rsp\n ud2");
    TRY3("user: steps", "pushf\n orl $0x100, (%%rsp)\n popf\n nop\n nop");
    VALUE3("user: popf", "pushq $0x247ed7\n popf\n pushf\n pop result\n pushq $2\n popf");
    VALUE3("user: sgdt limit", "sgdt 0x600\n movzwl 0x600, %%eax\n mov %%rax, result");
    user_cs = SEL_USER_CODE32;
    TRY3("compatibility: nothing", "nop");
    TRY3("compatibility: into", "mov $0x7f, %%al\n inc %%al\n .byte 0xce");
    TRY3("compatibility: aam 0", ".byte 0xd4, 0");
    TRY3("compatibility: #UD", "ud2");
    TRY3("compatibility: #PF", ".byte 0xb8\n .long 0x40000000\n .byte 0x8b, 0x00");
    TRY3("compatibility: int 0x31", "int $0x31");
    TRY3("compatibility: rex is inc", ".byte 0x48\n nop");
    VALUE3("compatibility: addresses wrap", ".code32\n mov $0xfffff000, %%ebx\n mov "
                                            "0x61600(%%ebx), %%eax\n mov %%eax, result\n .code64");
    TRY3("compatibility: far jump to 64-bit code",
         ".code32\n ljmp $0x2b, $9f\n 9: .code64\n mov %%r8, %%r9\n mov $0x1234, %%r8\n ud2");
    TRY3("compatibility: task switch", ".code32\n ljmp $0x48, $0\n .code64");
    gdt[SEL_TEST / 8] = descriptor(0x60000, 0xff, 0xf2, 4);
    TRY3("compatibility: limit",
         ".code32\n mov $0x83, %%eax\n mov %%ax, %%ds\n mov 0x100, %%al\n .code64");
    TRY3("compatibility: limit again", ".code32\n mov $0x83, %%eax\n mov %%ax, %%ds\n mov 0xff, "
                                       "%%al\n mov $0x23, %%eax\n mov %%ax, %%ds\n .code64");
    user_cs = SEL_USER_CODE64;
    VALUE3("user: ds limit is nothing", "mov $0x83, %%eax\n mov %%ax, %%ds\n mov 0x60100, %%eax\n "
                                        "mov $1, %%eax\n mov %%rax, result");
    VALUE3("user: fs base of a descriptor", "mov $0x83, %%eax\n mov %%ax, %%fs\n movl $0x5151, "
                                            "0x60010\n mov %%fs:0x10, %%eax\n mov %%rax, result");
}

static void returns(void)
{
    VALUE("iretq, null ss to ring 0",
          "mov %%rsp, %%rbx\n pushq $0\n push %%rbx\n pushf\n pushq $8\n pushq $9f\n iretq\n"
          "9: xor %%eax, %%eax\n mov %%ss, %%eax\n mov %%rax, result");
    TRY("iretq to non-canonical", "mov %%rsp, %%rbx\n pushq $0x10\n push %%rbx\n pushf\n pushq "
                                  "$8\n mov $0x800000000000, %%rax\n push %%rax\n iretq");
    TRY("iretq to ring 3 with null ss, 64-bit",
        "pushq $3\n pushq $0x78000\n pushq $2\n pushq $0x2b\n pushq $9f\n iretq\n9: int $0x30");
    TRY("iretq to ring 3 with null ss, 32-bit",
        "pushq $3\n pushq $0x78000\n pushq $2\n pushq $0x1b\n pushq $9f\n iretq\n9: int $0x30");
    TRY("iretq to data",
        "pushq $0x10\n pushq $0x78000\n pushq $2\n pushq $0x10\n pushq $9f\n iretq\n9:");
    TRY("iretq with nt", "pushf\n orl $0x4000, (%%rsp)\n popf\n pushq $0x10\n pushq $0x78000\n "
                         "pushq $2\n pushq $8\n pushq $9f\n iretq\n9:");
    TRY("clear nt", "pushf\n andl $~0x4000, (%%rsp)\n popf");
    VALUE("lretq", "pushq $8\n pushq $9f\n lretq\n9: mov %%cs, %%eax\n mov %%rax, result");
    TRY("lretq to ring 3",
        "pushq $0x23\n pushq $0x78000\n pushq $0x2b\n pushq $9f\n lretq\n9: int $0x30");
    VALUE("far jump through memory, 64 bits", "movq $9f, 0x610\n movw $8, 0x618\n rex.w ljmp "
                                              "*0x610\n9: mov %%cs, %%eax\n mov %%rax, result");
    VALUE("compatibility mode in ring 0", "movl $9f, 0x610\n movw $0x30, 0x614\n ljmp *0x610\n9: "
                                          ".code32\n mov %%cs, %%eax\n mov %%eax, result\n"
                                          "ljmp $8, $9f\n.code64\n9: movl $0, result + 4");
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x9b, 14); /* L and D */
    TRY("code with l and d", "movl $9f, 0x610\n movw $0x80, 0x614\n ljmp *0x610\n9:");
}

/* Targets of call gates. */
asm(".text\n"
    "gate_target: xor %eax, %eax\n mov %ss, %eax\n mov %rax, result\n mov %rsp, result2\n lretq\n");
extern u8 gate_target[];

static void gates(void)
{
    word target = (word)gate_target;
    gdt[SEL_TEST / 8] =
        (u64)((target & 0xffff0000) | 0xec00) << 32 | SEL_CODE << 16 | (target & 0xffff);
    gdt[SEL_TEST / 8 + 1] = target >> 32;
    VALUE("call gate", "movl $0, 0x610\n movw $0x80, 0x614\n lcall *0x610");
    VALUE3("user: call gate", "movl $0, 0x610\n movw $0x83, 0x614\n lcall *0x610");
    say("rsp there: %x below rsp0\n", (u32)(TSS_STACK - result2));
    gdt[SEL_TEST / 8 + 1] = 0x8000ull;
    TRY("call gate to non-canonical", "movl $0, 0x610\n movw $0x80, 0x614\n lcall *0x610");
    gdt[SEL_TEST / 8 + 1] = 0x1f0000000000;
    TRY("call gate with a type in the upper half",
        "movl $0, 0x610\n movw $0x80, 0x614\n lcall *0x610");
    gdt[SEL_TEST / 8] =
        (u64)((target & 0xffff0000) | 0xec00) << 32 | SEL_CODE32 << 16 | (target & 0xffff);
    gdt[SEL_TEST / 8 + 1] = 0;
    TRY("call gate to 32-bit code", "movl $0, 0x610\n movw $0x80, 0x614\n lcall *0x610");
    idt[0x31 * 2] = (idt[0x31 * 2] & ~0xffff0000ull) | SEL_CODE32 << 16;
    TRY("interrupt gate to 32-bit code", "int $0x31");
    set_gate(0x31, 5, 3, SEL_TSS, 0);
    TRY("task gate", "int $0x31");
    set_gate(0x31, 6, 3, SEL_CODE, 0);
    TRY("16-bit interrupt gate", "int $0x31");
    set_gate(0x31, 14, 3, SEL_CODE, 0x800000000000);
    TRY("gate to non-canonical", "int $0x31");
    reset_gate(0x31);
}

void main(void)
{
    put("== long\n");
    *at_address(DATA + 0x600) = 0x12345678;
    faults();
    canonical();
    user();
    returns();
    gates();
}
