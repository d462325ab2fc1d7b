/* Descriptors: a table of all types under LAR, LSL, VERR, VERW and the loading of segment
 * registers; far transfers and call gates between rings (SDM 3A chapter 5). */
#include "lib.h"

#define SEL(n) (SEL_TEST + 8 * (n))

static u16 selector;

/* One line for a selector: LAR, LSL, VERR, VERW, then loading ds, ss and (by far jump) cs. */
static void probe(unsigned access, unsigned rpl, u8 user)
{
    selector = (u16)(SEL(0) | rpl);
    say("%2x.%d", access, rpl);
#define PROBE(insns)                                                                               \
    do {                                                                                           \
        if (user)                                                                                  \
            RUN3(insns);                                                                           \
        else                                                                                       \
            RUN(insns);                                                                            \
    } while (0)
    PROBE("mov selector, %%cx\n xor %%eax, %%eax\n lar %%ecx, %%eax\n mov %%eax, result");
    say(" %6x", (u32)result & 0xf0ff00); /* 16 to 19 are undefined */
    PROBE("mov selector, %%cx\n mov $0xbad, %%eax\n lsl %%ecx, %%eax\n mov %%eax, result");
    say(" %5x", (u32)result);
    PROBE("mov selector, %%cx\n xor %%eax, %%eax\n verr %%cx\n setz %%al\n verw %%cx\n setz %%ah\n "
          "mov %%eax, result");
    say(" %3x", (u32)result);
#define LOADED(insns)                                                                              \
    do {                                                                                           \
        PROBE(insns);                                                                              \
        if (WENT_WELL)                                                                             \
            put(" ok");                                                                            \
        else                                                                                       \
            say(" %d:%4x", (u32)event.vector, (u32)event.error);                                   \
    } while (0)
    LOADED("mov selector, %%ax\n mov %%ax, %%ds");
    LOADED("mov selector, %%ax\n mov %%ax, %%ss\n mov $0x10, %%ax\n");
    LOADED("pushl $0\n pushl $0\n pushl selector\n pushl $9f\n lret\n9:");
    put("\n");
}

static void types(void)
{
    for (u8 user = 0; user < 2; user++) {
        say("from ring %d: type.rpl lar lsl verr+verw*100 ds ss cs\n", user ? 3 : 0);
        for (unsigned type = 0; type < 32; type++) {
            if (type == 9 || type == 11 || type == 1 || type == 3)
                continue; /* a far return to a TSS is tasks.c's subject */
            unsigned dpl = user ? 3 : 0;
            gdt[SEL(0) / 8] = descriptor(0, 0xfffff, 0x80 | dpl << 5 | type, 12);
            probe(0x80 | dpl << 5 | type, user ? 3 : 0, user);
        }
        for (unsigned access = 0x92; access < 0x9f; access += 6) { /* data; conforming code */
            for (unsigned dpl = 0; dpl < 4; dpl++) {
                gdt[SEL(0) / 8] = descriptor(0, 0xfffff, access | dpl << 5, 12);
                probe(access | dpl << 5, 0, user);
                probe(access | dpl << 5, 3, user);
            }
        }
        gdt[SEL(0) / 8] = descriptor(0, 0xfffff, 0x12, 12);
        probe(0x12, 0, user);
    }
}

static void accessed_bits(void)
{
    gdt[SEL(0) / 8] = descriptor(0, 0xfffff, 0x92, 12);
    RUN("mov $0x80, %%ax\n lar %%eax, %%ecx\n mov %%ax, %%es");
    say("data after loading: %2x\n", (u32)(gdt[SEL(0) / 8] >> 40 & 0xff));
    gdt[SEL(0) / 8] = descriptor(0, 0xfffff, 0x9a, 12);
    RUN("ljmp $0x80, $9f\n9: ljmp $8, $9f\n9:");
    say("code after a jump: %2x\n", (u32)(gdt[SEL(0) / 8] >> 40 & 0xff));
}

static void sizes(void)
{
    VALUE("16-bit code", "ljmp $0x38, $9f\n9: .code16\n mov $0x1234, %%ax\n mov %%ax, %%bx\n ljmpl "
                         "$8, $9f\n .code32\n"
                         "9: movzx %%bx, %%ebx\n mov %%ebx, result");
    VALUE("16-bit stack",
          "mov $0x40, %%ax\n mov %%ax, %%ss\n mov $0x1230004, %%esp\n mov 0, %%ebx\n push %%ebx\n"
          "mov %%esp, result\n pop %%eax\n mov %%esp, result2");
    say("after pop: %8x\n", (u32)result2);
}

/* ---- gates ---- */
static word seen[8];

/* Targets of gates: what arrives there. */
asm(".text\n"
    "target32: mov %cs, %eax\n mov %eax, seen\n mov %ss, %eax\n mov %eax, seen + 4\n mov %esp, "
    "seen + 8\n"
    "mov (%esp), %eax\n sub at, %eax\n mov %eax, seen + 12\n mov 4(%esp), %eax\n mov %eax, seen + "
    "16\n"
    "mov 8(%esp), %eax\n mov %eax, seen + 20\n mov 12(%esp), %eax\n mov %eax, seen + 24\n lret $8\n"
    "target16: .code16gcc\n mov %cs, %ax\n mov %ax, seen\n mov %esp, %eax\n mov %eax, seen + 8\n"
    "movzwl (%esp), %eax\n subw at, %ax\n mov %eax, seen + 12\n mov 2(%esp), %eax\n mov %eax, seen "
    "+ 16\n"
    "mov 6(%esp), %eax\n mov %eax, seen + 20\n lretw $4\n .code32\n");
extern u8 target32[], target16[];

static u64 call_gate(unsigned type, unsigned dpl, unsigned sel, word target, unsigned count)
{
    return (u64)((target & 0xffff0000) | 0x8000 | dpl << 13 | type << 8 | count) << 32 | sel << 16 |
           (target & 0xffff);
}

static void show_gate(const char *name)
{
    report(name);
    say(" cs %4x ss %4x esp %6x", (u32)seen[0] & 0xffff, (u32)seen[1] & 0xffff, (u32)seen[2]);
    for (unsigned n = 3; n < 7; n++)
        say(" %8x", (u32)seen[n]);
    put("\n");
    for (unsigned n = 0; n < 8; n++)
        seen[n] = 0;
}

static void gates(void)
{
    unsigned gate = SEL(1);
    gdt[gate / 8] = call_gate(12, 3, SEL_CODE, (word)target32, 2);
    RUN("mov $0x7d000, %%esp\n push $0x1111\n push $0x2222\n lcall $0x88, $0x12345678");
    show_gate("call through a gate, same ring");
    RUN3("push $0x1111\n push $0x2222\n lcall $0x8b, $0\n mov %%esp, %%ebx");
    show_gate("user: call to ring 0, 2 parameters");
    TRY3("user: jump through the gate to ring 0", "ljmp $0x8b, $0");
    gdt[gate / 8] = call_gate(12, 2, SEL_CODE, (word)target32, 0);
    TRY3("user: gate of dpl 2", "lcall $0x8b, $0");
    gdt[gate / 8] = call_gate(12, 3, SEL_CODE, (word)target32, 0) & ~(1ull << 47);
    TRY3("user: absent gate", "lcall $0x8b, $0");
    gdt[gate / 8] = call_gate(12, 3, SEL_DATA, (word)target32, 0);
    TRY3("user: gate to data", "lcall $0x8b, $0");
    gdt[gate / 8] = call_gate(12, 3, 0, (word)target32, 0);
    TRY3("user: gate to null", "lcall $0x8b, $0");
    /* Conforming code runs at the caller's level. */
    gdt[SEL(2) / 8] = descriptor(0, 0xfffff, 0x9e, 12);
    gdt[gate / 8] = call_gate(12, 3, SEL(2), (word)target32, 0);
    RUN3("lcall $0x8b, $0");
    show_gate("user: gate to conforming code");
    VALUE3("user: jump to conforming code", "ljmp $0x90, $9f\n9: mov %%cs, result");
    TRY("conforming code of outer ring", "ljmp $0x98, $0");
    /* Ring 1 by gate, and back. */
    gdt[SEL(3) / 8] = descriptor(0, 0xfffff, 0xba, 12);
    gdt[SEL(4) / 8] = descriptor(0, 0xfffff, 0xb2, 12);
    tss[3] = TSS_STACK - 0x800;
    tss[4] = SEL(4) | 1;
    gdt[gate / 8] = call_gate(12, 3, SEL(3), (word)target32, 2);
    RUN3("push $0x3333\n push $0x6666\n lcall $0x8b, $0");
    show_gate("user: call to ring 1");
    /* 286 gates: 16-bit pushes. */
    gdt[SEL(5) / 8] = descriptor(0, 0xfffff, 0x9a, 8);
    gdt[gate / 8] = call_gate(4, 3, SEL(5), (word)target16, 2);
    RUN3("pushw $0x4444\n pushw $0x5555\n lcall $0x8b, $0");
    show_gate("user: 16-bit gate");
    /* Segments of an inner ring are made null on the way out. */
    gdt[gate / 8] = call_gate(12, 3, SEL_CODE, (word)target32, 2);
    VALUE(
        "lret to ring 3 clears ds",
        "push $0x23\n push $0x78000\n push $0x1b\n push $9f\n lret\n9: mov %%ds, %%eax\n"
        "mov %%cs, %%ecx\n shl $16, %%ecx\n or %%ecx, %%eax\n mov %%eax, %%ebx\n mov $0x23, %%eax\n"
        "mov %%ax, %%ds\n mov %%ebx, result\n int $0x30");
    VALUE(
        "iret to ring 3 clears es",
        "push $0x23\n push $0x78000\n push $2\n push $0x1b\n push $9f\n iret\n9: mov %%es, %%ebx\n"
        "mov $0x23, %%eax\n mov %%ax, %%ds\n mov %%ebx, result\n int $0x30");
    TRY("iret with null ss",
        "push $0\n push $0x78000\n push $2\n push $0x1b\n push $9f\n iret\n9:");
    TRY("iret with ring 0 ss",
        "push $0x10\n push $0x78000\n push $2\n push $0x1b\n push $9f\n iret\n9:");
    TRY("iret to null cs", "push $2\n push $0\n push $9f\n iret\n9:");
    TRY("iret to absent cs", "push $2\n push $0xb0\n push $9f\n iret\n9:");
    TRY("lret to cs of ring 3 with rpl 0", "push $0x18\n push $9f\n lret\n9:");
    TRY("lret to data", "push $0x10\n push $9f\n lret\n9:");
}

static void local_table(void)
{
    static u64 ldt[4];
    ldt[1] = descriptor(0x60000, 0xff, 0x92, 4);
    ldt[2] = descriptor(0, 0xfffff, 0xf2, 12);
    gdt[SEL_LDT / 8] = descriptor((u32)ldt, sizeof ldt - 1, 0x82, 0);
    VALUE("lldt and use",
          "mov $0x58, %%eax\n lldt %%ax\n mov $0x0c, %%eax\n mov %%ax, %%fs\n movl $0x77, %%fs:0\n"
          "mov 0x60000, %%eax\n mov %%eax, result");
    TRY("beyond the ldt", "mov $0x24, %%eax\n mov %%ax, %%fs");
    TRY("last of the ldt, empty", "mov $0x1c, %%eax\n mov %%ax, %%fs");
    VALUE3("user: sldt", "xor %%eax, %%eax\n sldt %%ax\n mov %%eax, result");
    VALUE3("user: arpl raises",
           "mov $0x10, %%eax\n mov $0x23, %%ecx\n arpl %%cx, %%ax\n mov %%eax, result");
    VALUE3("user: arpl keeps",
           "mov $0x13, %%eax\n mov $0x20, %%ecx\n arpl %%cx, %%ax\n mov %%eax, result");
}

void main(void)
{
    put("== segments\n");
    gdt[SEL(3) / 8] = descriptor(0, 0xfffff, 0xfe, 12);
    gdt[SEL(6) / 8] = descriptor(0, 0xfffff, 0x1a, 12);
    accessed_bits();
    sizes();
    gates();
    local_table();
    types();
}
