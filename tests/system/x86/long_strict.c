/* Where frames are put in 64-bit mode, stacks that cannot be pushed to, impossible values of
 * control registers (SDM 3A 6.14, 2.5). QEMU's translator ends in a triple fault or takes the
 * values. */
#include "lib.h"

static u8 look(struct frame *f)
{
    result = (word)f;
    return 0;
}

/* Where the frame of an exception is put. */
static void stacks(void)
{
    tss[9] = TSS_STACK - 0x400;  /* IST1 */
    tss[11] = TSS_STACK - 0x803; /* IST2, not aligned */
    hook = look;
    RUN("and $-16, %%rsp\n mov %%rsp, %%rax\n mov %%rax, result2\n sub $5, %%rsp\n ud2");
    say("same ring: frame %x below, rsp pushed %x below, ss %4x\n", (u32)(result2 - result),
        (u32)(result2 - event.sp), (u32)event.ss);
    idt[6 * 2] |= 1ull << 32;
    RUN("and $-16, %%rsp\n ud2");
    say("ist 1: frame %x below, ss %4x\n", (u32)(TSS_STACK - 0x400 - result), (u32)event.ss);
    idt[6 * 2] = (idt[6 * 2] & ~(7ull << 32)) | 2ull << 32;
    RUN3("ud2");
    say("user, ist 2: frame %x below, ss %4x rsp %x\n", (u32)(TSS_STACK - 0x800 - result),
        (u32)event.ss, (u32)event.sp);
    reset_gate(6);
    RUN3("ud2");
    say("user: frame %x below, ss %4x rsp %x\n", (u32)(TSS_STACK - result), (u32)event.ss,
        (u32)event.sp);
    hook = 0;
    /* A stack that cannot be pushed to makes a double fault, which the IST saves. */
    idt[8 * 2] |= 1ull << 32;
    TRY("double fault: stack not mapped", "mov $0x40001000, %%rsp\n ud2");
    TRY("double fault: stack not canonical", "mov $0x800000000800, %%rsp\n ud2");
    tss[1] = 0;
    tss[2] = 0x8000;
    TRY3("user, rsp0 not canonical", "ud2");
    tss[1] = 0x40001000;
    tss[2] = 0;
    TRY3("user, rsp0 not mapped", "ud2");
    tss[1] = TSS_STACK;
    idt[13 * 2] &= ~(1ull << 47);
    TRY("double fault: #GP without gate", "mov $0x800000000000, %%rax\n mov (%%rax), %%eax");
    reset_gate(13);
    reset_gate(8);
}

static void control(void)
{
    TRY("lidt", "movw $0xfff, 0x600\n movq $0, 0x602\n movw $0x8000, 0x608\n lidt 0x600");
    TRY("clear pae in long mode", "mov %%cr4, %%rax\n and $~0x20, %%rax\n mov %%rax, %%cr4");
    TRY("clear lme in long mode", "mov $0xc0000080, %%ecx\n rdmsr\n and $~0x100, %%eax\n wrmsr");
    TRY("cr3 beyond physical addresses", "mov %%cr3, %%rax\n bts $62, %%rax\n mov %%rax, %%cr3");
    TRY("cr0 upper half", "mov %%cr0, %%rax\n bts $32, %%rax\n mov %%rax, %%cr0");
    TRY("cr4 upper half", "mov %%cr4, %%rax\n bts $32, %%rax\n mov %%rax, %%cr4");
    TRY("cr8 16", "mov $16, %%eax\n mov %%rax, %%cr8");
    VALUE("cr8", "mov $9, %%eax\n mov %%rax, %%cr8\n xor %%eax, %%eax\n mov %%cr8, %%rax\n mov "
                 "%%rax, result");
    TRY("cr8 0", "xor %%eax, %%eax\n mov %%rax, %%cr8");
    TRY("efer reserved", "mov $0xc0000080, %%ecx\n rdmsr\n bts $9, %%eax\n wrmsr");
}

void main(void)
{
    put("== long_strict\n");
    stacks();
    control();
}
