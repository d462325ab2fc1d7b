/* SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS and the base MSRs (SDM 3A 5.8.7, 5.8.8; as Intel's
 * processors do it). */
#include "lib.h"

enum { EFER = 0xc0000080, STAR, LSTAR, CSTAR, SFMASK, FS_BASE = 0xc0000100, GS_BASE, KERNEL_GS };

/* What the entry points find; they end the piece of code, in ring 0. */
word seen_cs, seen_ss, seen_rcx, seen_r11, seen_flags, seen_sp;
asm(".text\n"
    "syscall_entry: mov %rsp, seen_sp\n mov $0x7d000, %esp\n xor %eax, %eax\n mov %cs, %eax\n mov "
    "%rax, seen_cs\n"
    "mov %ss, %eax\n mov %rax, seen_ss\n mov %rcx, seen_rcx\n mov %r11, seen_r11\n pushf\n popq "
    "seen_flags\n"
    "cmpl $0, back_width\n je 1f\n cmpl $32, back_width\n je 2f\n sysretq\n2: sysretl\n"
    "1: mov resume_sp, %rsp\n jmp *resume_ip\n"
    "sysenter_entry: mov %rsp, seen_sp\n mov $0x7d000, %esp\n xor %eax, %eax\n mov %cs, %eax\n mov "
    "%rax, seen_cs\n"
    "mov %ss, %eax\n mov %rax, seen_ss\n pushf\n popq seen_flags\n cmpl $0, back_width\n je 1b\n"
    "cmpl $32, back_width\n je 2f\n sysexitq\n2: sysexitl\n");
extern u8 syscall_entry[], sysenter_entry[];
word back_width;

static void show(const char *name)
{
    report(name);
    say("  cs %4x ss %4x rcx +%4x r11 %6x flags %6x rsp %6x\n", (u32)seen_cs, (u32)seen_ss,
        (u32)(seen_rcx ? seen_rcx - at : 0), (u32)seen_r11 & 0x3ff702, (u32)seen_flags & 0x3ff702,
        (u32)seen_sp);
    seen_cs = seen_ss = seen_rcx = seen_r11 = seen_flags = seen_sp = 0;
}

static void system_call(void)
{
    TRY("syscall without sce", "syscall");
    TRY3("user: syscall without sce", "syscall");
    TRY("sysret without sce", "sysretq");
    wrmsr(EFER, rdmsr(EFER) | 1);
    wrmsr(STAR, 0x0018000800000000);
    wrmsr(LSTAR, (word)syscall_entry);
    wrmsr(SFMASK, 0x4200);
    user_flags = 0x202;
    RUN3("syscall");
    show("user: syscall");
    wrmsr(SFMASK, 0);
    RUN3("stc\n std\n syscall");
    show("user: syscall, no mask");
    user_flags = 2;
    back_width = 64;
    VALUE3("user: syscall and sysretq", "syscall\n xor %%eax, %%eax\n mov %%cs, %%eax\n shl $16, "
                                        "%%eax\n mov %%ss, %%ax\n mov %%rax, result");
    show("  entry");
    back_width = 32;
    VALUE3("user: syscall and sysretl", "syscall\n .code32\n mov %%cs, %%eax\n shl $16, %%eax\n "
                                        "mov %%ss, %%ax\n mov %%eax, result\n .code64");
    back_width = 0;
    user_cs = SEL_USER_CODE32;
    TRY3("compatibility: syscall", "syscall");
    user_cs = SEL_USER_CODE64;
    RUN("syscall");
    show("syscall in ring 0");
    TRY("sysretq to non-canonical", "mov $0x800000000000, %%rcx\n mov $2, %%r11d\n sysretq");
    TRY("sysretq with all flags",
        "mov $9f, %%ecx\n mov $0x3f7ed7, %%r11d\n mov $0x78000, %%esp\n sysretq\n9: ud2");
    TRY("plain flags", "pushq $2\n popf");
}

static void fast_system_call(void)
{
    TRY("sysenter without cs", "sysenter");
    TRY3("user: sysenter without cs", "sysenter");
    wrmsr(0x174, 8);
    wrmsr(0x175, 0x7c000);
    wrmsr(0x176, (word)sysenter_entry);
    user_flags = 0x202;
    RUN3("sysenter");
    show("user: sysenter");
    user_cs = SEL_USER_CODE32;
    RUN3("sysenter");
    show("compatibility: sysenter");
    user_cs = SEL_USER_CODE64;
    user_flags = 2;
    TRY3("user: sysexit", "sysexitl");
    back_width = 32;
    VALUE3("user: sysenter and sysexit", "mov $9f, %%edx\n mov $0x78000, %%ecx\n sysenter\n9: "
                                         ".code32\n mov %%cs, %%eax\n shl $16, %%eax\n"
                                         "mov %%ss, %%ax\n mov %%eax, result\n .code64");
    back_width = 64;
    VALUE3(
        "user: sysenter and sysexit, 64 bits",
        "mov $9f, %%edx\n mov $0x78000, %%ecx\n sysenter\n9: xor %%eax, %%eax\n mov %%cs, %%eax\n"
        "shl $16, %%eax\n mov %%ss, %%ax\n mov %%rax, result");
    back_width = 0;
    TRY("sysexit to non-canonical", "mov $0x800000000000, %%rdx\n mov $0x78000, %%ecx\n sysexitq");
    wrmsr(0x174, 0);
    TRY("sysexit without cs", "sysexitl");
}

static void bases(void)
{
    wrmsr(GS_BASE, 0x1111000011);
    wrmsr(KERNEL_GS, 0x2222000022);
    TRY("swapgs", "swapgs");
    say("gs %lx kernel gs %lx\n", rdmsr(GS_BASE), rdmsr(KERNEL_GS));
    wrmsr(GS_BASE, DATA);
    *at_address(DATA + 8) = 0x5678;
    VALUE("through gs", "xor %%eax, %%eax\n mov %%gs:8, %%eax\n mov %%rax, result");
    VALUE("gs with a 32-bit address",
          "xor %%eax, %%eax\n mov $8, %%ecx\n mov %%gs:(%%ecx), %%eax\n mov %%rax, result");
    TRY("null selector", "xor %%eax, %%eax\n mov %%ax, %%gs");
    say("gs base after a null selector %lx\n", rdmsr(GS_BASE));
    TRY("selector", "mov $0x10, %%eax\n mov %%ax, %%gs");
    say("gs base after a selector %lx\n", rdmsr(GS_BASE));
    TRY("rdfsbase without cr4", "rdfsbase %%rax");
    WRITE_CR(4, READ_CR(4) | 0x10000);
    VALUE3("user: wrfsbase, rdfsbase", "mov $0x123456789a, %%rax\n wrfsbase %%rax\n xor %%eax, "
                                       "%%eax\n rdfsbase %%rax\n mov %%rax, result");
    VALUE("wrgsbase 32 bits",
          "mov $0x123456789a, %%rax\n wrgsbase %%eax\n rdgsbase %%rax\n mov %%rax, result");
    TRY("wrfsbase to non-canonical", "mov $0x800000000000, %%rax\n wrfsbase %%rax");
    user_cs = SEL_USER_CODE32;
    TRY3("compatibility: rdfsbase", ".byte 0xf3, 0x0f, 0xae, 0xc0");
    user_cs = SEL_USER_CODE64;
}

void main(void)
{
    put("== syscalls\n");
    system_call();
    fast_system_call();
    bases();
}
