/* Virtual-8086 mode (SDM 3A chapter 20): what traps to the monitor with which frame, at each I/O
 * privilege; port permission; entering and leaving; the monitor reflecting interrupts. */
#include "lib.h"

#include "v86.h"

static void sensitive(void)
{
    for (u32 iopl = 0; iopl < 4; iopl += 3) {
        entry_flags = 0x20002 | iopl << 12;
        say("iopl %d\n", iopl);
        SHOW("hlt", "nop");
        SHOW("int 0x31", "int $0x31");
        SHOW("int 0x30, gate of dpl 3", "int $0x30");
        SHOW("int3", "int3");
        SHOW("into", "mov $0x7f, %%al\n inc %%al\n into");
        SHOW("icebp", ".byte 0xf1");
        SHOW("pushf", "pushfw\n popw %%ax");
        SHOW("pushfd", "pushfl\n popl %%eax");
        SHOW("popf", "pushw $0x7ed7\n popfw\n movl $0, %%eax\n");
        SHOW("popfd", "pushl $0x247ed7\n popfl");
        SHOW("cli", "cli");
        SHOW("sti", "sti");
        SHOW("iret", "pushw $2\n pushw $0x6000\n pushw $1f - 5b\n iretw\n1: mov $0x77, %%eax");
        SHOW("in", "in $0x60, %%al\n mov $1, %%eax");
    }
    entry_flags = 0x20002;
}

static void ports(void)
{
    u8 *map = (u8 *)&tss[26];
    map[0x60 / 8] = 0x02; /* 61 */
    SHOW("in 60, allowed", "in $0x60, %%al\n mov $2, %%eax");
    SHOW("in 61, forbidden", "in $0x61, %%al");
    SHOW("in word 60", "in $0x60, %%ax");
    SHOW("outsb 61", "mov $0x61, %%dx\n outsb");
    map[0x60 / 8] = 0;
}

static void ordinary(void)
{
    SHOW("segments load as in real mode",
         "mov $0x1f00, %%ax\n mov %%ax, %%ds\n mov %%ax, %%fs\n mov %%cs, %%ax\n mov %%ax, %%gs");
    SHOW("lds", "movl $0x43215678, 0x80\n lds 0x80, %%ax");
    SHOW("far call and return",
         "lcallw $0x5ff0, $1f - 5b + 0x100\n movl $0x11, %%eax\n hlt\n1: lretw");
    SHOW("far jump", "ljmpw $0x5fe0, $1f - 5b + 0x200\n1: mov %%cs, %%ax");
    SHOW("ud2", "ud2");
    SHOW("div", "xor %%cx, %%cx\n div %%cx");
    SHOW("lldt", "lldt %%ax");
    SHOW("lar", "lar %%ax, %%ax");
    SHOW("arpl", ".byte 0x63, 0xc0");
    SHOW("mov cr0", "mov %%cr0, %%eax");
    SHOW("smsw", "smsw %%ax\n and $0xf, %%ax\n movzx %%ax, %%eax");
    SHOW("clts", "clts");
    SHOW("lgdt", "lgdt 0");
    SHOW("mov dr7", "mov %%dr7, %%eax");
    SHOW("rdmsr", "rdmsr");
    SHOW("wbinvd", "wbinvd");
    SHOW("sysenter", "sysenter");
    SHOW("lock", ".byte 0xf0, 0x90");
    SHOW("steps", "pushfw\n orw $0x100, (%%esp)\n popfw");
    entry_flags = 0x23002;
    SHOW("single step", "pushfw\n popw %%ax\n or $0x100, %%ax\n pushw %%ax\n popfw\n nop");
    SHOW("popf cannot leave", "pushl $2\n popfl\n pushfl\n popl %%eax");
    SHOW("iretd cannot leave",
         "pushl $0x3002\n pushl $0x6000\n pushl $1f - 5b\n iretl\n 1: pushfl\n popl %%eax");
    entry_flags = 0x20002;
}

static void reflection(void)
{
    reflect_interrupts = 1;
    count = 0;
    *at_address(0x21 * 4) = SEGMENT << 16 | 0x100;
    static const u8 handler[] = {0x05, 0x11, 0x11, 0xcf}; /* add ax, 0x1111; iret */
    for (unsigned n = 0; n < sizeof handler; n++)
        *(u8 *)(SEGMENT * 16 + 0x100 + n) = handler[n];
    SHOW("int 0x21 reflected", "int $0x21\n int $0x21");
    say("monitor: %d\n", count);
    reflect_interrupts = 0;
}

static void entries_to(void)
{
    hook = keep;
    ds86 = 0x5555;
    RUN86("mov %%ds, %%ax");
    show("ds of the frame");
    ds86 = SEGMENT;
    /* From ring 3 the flag cannot be set. */
    hook = 0;
    TRY3("user: iret to vm", "pushf\n orl $0x20000, (%%esp)\n push $0x1b\n push $9f\n iret\n9:");
    VALUE3("user: popf vm", "pushl $0x20002\n popf\n pushf\n pop result");
    hook = keep;
    /* A handler in ring 3 cannot be entered from here. */
    set_gate(0x32, 14, 3, SEL_USER_CODE32, 0);
    entry_flags = 0x23002;
    SHOW("gate to ring 3", "int $0x32");
    gdt[SEL_TEST / 8] = descriptor(0, 0xfffff, 0x9e, 12);
    set_gate(0x32, 14, 3, SEL_TEST, 0);
    SHOW("gate to conforming code", "int $0x32");
    reset_gate(0x32);
    entry_flags = 0x20002;
}

void main(void)
{
    put("== v86\n");
    hook = keep;
    sensitive();
    ports();
    ordinary();
    reflection();
    entries_to();
}
