/* Segment limits and types at each access (SDM 3A 5.3, 5.5), which QEMU's translator does not
 * check. */
#include "v86.h"

#define SEL(n) (SEL_TEST + 8 * (n))

static word offset;

/* Accesses of 1, 2, 4 bytes around OFFSET of a segment: which of them are allowed. */
static void limit(const char *name, u64 segment, word middle)
{
    gdt[SEL(0) / 8] = segment;
    say("%s:", name);
    for (int n = -5; n < 3; n++) {
        offset = middle + (word)n;
        unsigned allowed = 0;
        RUN("mov $0x80, %%eax\n mov %%ax, %%fs\n mov offset, %%ebx\n mov %%fs:(%%ebx), %%al");
        allowed |= event.vector == NONE;
        RUN("mov $0x80, %%eax\n mov %%ax, %%fs\n mov offset, %%ebx\n mov %%fs:(%%ebx), %%ax");
        allowed |= (event.vector == NONE) << 1;
        RUN("mov $0x80, %%eax\n mov %%ax, %%fs\n mov offset, %%ebx\n mov %%fs:(%%ebx), %%eax");
        allowed |= (event.vector == NONE) << 2;
        say(" %1x", allowed);
    }
    put("\n");
}

static void limits(void)
{
    limit("bytes, limit ff", descriptor(0x60000, 0xff, 0x92, 4), 0x100);
    limit("bytes, limit ff, code", descriptor(0x60000, 0xff, 0x9a, 4), 0x100);
    limit("pages, limit 1", descriptor(0x60000, 1, 0x92, 12), 0x2000);
    limit("limit 0", descriptor(0x60000, 0, 0x92, 4), 1);
    limit("expand-down above ff, 32 bits", descriptor(0x60000, 0xff, 0x96, 4), 0x100);
    limit("expand-down above ff, 16 bits", descriptor(0x60000, 0xff, 0x96, 0), 0x100);
    limit("expand-down, top of 16 bits", descriptor(0x60000, 0xff, 0x96, 0), 0x10000);
    limit("expand-down in pages", descriptor(0x60000, 0, 0x96, 12), 0x1000);
    gdt[SEL(0) / 8] = descriptor(0x60000, 0xff, 0x90, 4);
    TRY("write to read-only", "mov $0x80, %%eax\n mov %%ax, %%fs\n movl $0, %%fs:0");
    gdt[SEL(0) / 8] = descriptor(0x60000, 0xff, 0x98, 4);
    TRY("write to code", "movl $0, %%cs:0x600");
    gdt[SEL(0) / 8] = descriptor(0, 0xfffff, 0x98, 12);
    TRY("read execute-only code", "ljmp $0x80, $9f\n9: mov %%cs:0x600, %%eax");
    gdt[SEL(0) / 8] = descriptor(0, 0xff, 0x9a, 4);
    TRY("jump beyond cs", "ljmp $0x80, $0x100");
    gdt[SEL(0) / 8] = descriptor(0x60000, 0xf, 0x92, 4);
    TRY("rep movsb stops at the limit",
        "mov $0x80, %%eax\n mov %%ax, %%es\n mov $0x600, %%esi\n mov $8, %%edi\n"
        "mov $0x20, %%ecx\n rep movsb");
    VALUE("cmov reads before it decides",
          "mov $0x80, %%eax\n mov %%ax, %%fs\n xor %%eax, %%eax\n cmovnz %%fs:0x10, %%eax\n"
          "mov %%eax, result");
}

static void stack_exceptions(void)
{
    /* A stack segment of 4 KiB at 0x70000: expand-down, then ordinary. */
    gdt[SEL_TEST / 8 + 2] = descriptor(0x70000, 0xfff, 0xf2, 4);
    user_ss = SEL_TEST + 16 + 3;
    TRY3("user: push beyond the limit", "mov $0x2000, %%esp\n push %%eax\n push %%eax");
    TRY3("user: push at 1002", "mov $0x1002, %%esp\n push %%eax");
    TRY3("user: push at 1000", "mov $0x1000, %%esp\n push %%eax");
    TRY3("user: push at 2", "mov $2, %%esp\n push %%eax");
    TRY3("user: ebp beyond", "mov $0x1000, %%esp\n mov $0x1000, %%ebp\n mov (%%ebp), %%al");
    gdt[SEL_TEST / 8 + 2] = descriptor(0x70000, 0xfff, 0xf6, 4);
    TRY3("user, expand-down: push at 2000", "mov $0x2000, %%esp\n push %%eax");
    TRY3("user, expand-down: push at 1002", "mov $0x1002, %%esp\n push %%eax");
    TRY3("user, expand-down: push at 1004", "mov $0x1004, %%esp\n push %%eax");
    user_ss = SEL_USER_DATA;
}

void main(void)
{
    put("== limits\n");
    TRY("#GP null ds read", "xor %%ax, %%ax\n mov %%ax, %%ds\n mov 0, %%eax");
    limits();
    stack_exceptions();
    gdt[SEL(3) / 8] = descriptor(0, 0xfffff, 0xba, 12);
    gdt[SEL(4) / 8] = descriptor(0, 0x7f, 0xb2, 4);
    set_gate(0x31, 14, 3, SEL(3), 0);
    tss[3] = TSS_STACK - 0x800;
    tss[4] = SEL(4) + 1;
    TRY3("user: to ring 1, esp1 beyond", "int $0x31");
    reset_gate(0x31);
    hook = keep;
    SHOW("v86: limit", "mov $0xffff, %%bx\n mov (%%bx), %%ax");
    SHOW("v86: limit of the stack", "mov $1, %%esp\n pushw %%ax");
    SHOW("v86: 32-bit address", "mov $0x10000, %%ebx\n mov (%%ebx), %%al");
}
