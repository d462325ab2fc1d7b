/* Debug registers and single steps (SDM 3B chapter 17): what is hit, DR6, RF, general detection. */
#include "lib.h"

u32 place;
word dr7, dr0;

static word read_dr6(void)
{
    word value;
    asm volatile("mov %%dr6, %0" : "=r"(value));
    asm volatile("mov %0, %%dr6" : : "r"(0ul));
    return value;
}

static void clear(void)
{
    asm volatile("mov %0, %%dr7" : : "r"(0ul));
    asm volatile("mov %0, %%dr6" : : "r"(0ul));
}

static void line(const char *name)
{
    report(name);
    if (!WENT_WELL)
        say("  dr6 %8x\n", (u32)read_dr6());
    clear();
}

/* Breakpoint 0 at ADDRESS, RW and LEN as in DR7; then INSNS. */
#define WATCH(name, address, rw, len, insns)                                                       \
    do {                                                                                           \
        dr0 = (word)(address);                                                                     \
        dr7 = 1 | (word)(rw) << 16 | (word)(len) << 18;                                            \
        RUN("mov dr0, %%eax\n mov %%eax, %%dr0\n mov dr7, %%eax\n mov %%eax, %%dr7\n"              \
            "mov $place, %%ebx\n movl $6f, at\n6: " insns);                                        \
        line(name);                                                                                \
    } while (0)

static void data(void)
{
    WATCH("write watched for writing", &place, 1, 3, "mov %%eax, (%%ebx)\n nop\n nop");
    WATCH("read watched for writing", &place, 1, 3, "mov (%%ebx), %%eax\n nop");
    WATCH("read watched for both", &place, 3, 3, "mov (%%ebx), %%eax\n nop");
    WATCH("write watched for both", &place, 3, 3, "mov %%eax, (%%ebx)\n nop");
    WATCH("byte 3 of four", &place, 1, 3, "mov %%al, 3(%%ebx)\n nop");
    WATCH("byte behind", &place, 1, 3, "mov %%al, 4(%%ebx)\n nop");
    WATCH("dword that ends in it", &place, 1, 0, "mov %%eax, -3(%%ebx)\n nop");
    WATCH("length 2", (word)&place + 2, 1, 1, "mov %%al, 3(%%ebx)\n nop");
    WATCH("length 2, before", (word)&place + 2, 1, 1, "mov %%al, 1(%%ebx)\n nop");
    WATCH("push", KERNEL_STACK - 0x100, 1, 3, "mov $0x7df04, %%esp\n push %%eax\n nop");
    WATCH("call", KERNEL_STACK - 0x100, 1, 3, "mov $0x7df04, %%esp\n call 1f\n 1: nop");
    WATCH("rep stosb, third element", (word)DATA + 2, 1, 0,
          "mov $0x60000, %%edi\n mov $8, %%ecx\n rep stosb\n nop");
    say("  edi was not asked for\n");
    WATCH("movsb reads", (word)DATA + 2, 3, 0,
          "mov $0x60002, %%esi\n mov $0x60100, %%edi\n movsb\n nop");
    WATCH("add to memory", &place, 1, 3, "addl $1, (%%ebx)\n nop");
    WATCH("cmpxchg that does not match", &place, 1, 3,
          "xor %%eax, %%eax\n movl $1, %%ecx\n cmpl $0, (%%ebx)\n nop");
    WATCH("fault before the watch", &place, 3, 3, "ud2");
    WATCH("pop ss, then a watched load", &place, 3, 3,
          "push %%ss\n pop %%ss\n mov (%%ebx), %%eax\n nop\n nop");
    place = SEL_DATA;
    WATCH("mov ss from watched memory", &place, 3, 1,
          "movl $0x10, %%ecx\n mov (%%ebx), %%ss\n nop\n nop");
    WATCH("not enabled", &place, 1, 3,
          "movl $0, %%ecx\n mov %%ecx, %%dr7\n mov %%eax, (%%ebx)\n nop");
}

static void code(void)
{
    WATCH("instruction", 0, 0, 0, "movl $1f, %%ecx\n mov %%ecx, %%dr0\n nop\n 1: nop\n nop");
    WATCH("instruction, in the middle", 0, 0, 0,
          "movl $1f + 1, %%ecx\n mov %%ecx, %%dr0\n nop\n 1: xor %%ecx, %%ecx\n nop");
    WATCH("instruction that faults", 0, 0, 0, "movl $1f, %%ecx\n mov %%ecx, %%dr0\n nop\n 1: ud2");
    WATCH("behind mov ss", 0, 0, 0,
          "movl $1f, %%ecx\n mov %%ecx, %%dr0\n mov %%ss, %%ecx\n mov %%ecx, %%ss\n 1: nop\n nop");
    WATCH("with rf", 0, 0, 0,
          "movl $1f, %%ecx\n mov %%ecx, %%dr0\n pushf\n orl $0x10000, (%%esp)\n pushl %%cs\n push "
          "$1f\n iret\n 1: nop\n nop");
}

static u8 count_hits(struct frame *f)
{
    result++;
    if (result > 20)
        return 0;
    if ((f->ip - at) < 0x100)
        f->flags |= 0x10000; /* RF: the instruction runs */
    return 1;
}

static void loops(void)
{
    hook = count_hits;
    result = 0;
    WATCH("loop over a breakpoint", 0, 0, 0,
          "movl $1f, %%ecx\n mov %%ecx, %%dr0\n mov $5, %%ecx\n 1: dec %%ecx\n jnz 1b");
    say("  hits %d\n", (u32)result);
    result = 0;
    WATCH("rep movsb over a breakpoint", 0, 0, 0,
          "movl $1f, %%ecx\n mov %%ecx, %%dr0\n mov $5, %%ecx\n mov $0x60000, %%esi\n"
          "mov %%esi, %%edi\n 1: rep movsb");
    say("  hits %d\n", (u32)result);
    result = 0;
    WATCH("loop over a watch", &place, 1, 3,
          "mov $5, %%ecx\n 1: mov %%ecx, (%%ebx)\n dec %%ecx\n jnz 1b");
    say("  hits %d\n", (u32)result);
    result = 0;
    RUN("pushf\n orl $0x100, (%%esp)\n popf\n mov $3, %%ecx\n 1: dec %%ecx\n jnz 1b\n pushf\n andl "
        "$~0x100, (%%esp)\n popf");
    say("steps %d\n", (u32)result);
    result = 0;
    RUN("pushf\n orl $0x100, (%%esp)\n popf\n mov $4, %%ecx\n mov $0x60000, %%edi\n rep stosb\n "
        "nop\n pushf\n andl $~0x100, (%%esp)\n popf");
    say("steps with rep stosb %d\n", (u32)result);
    hook = 0;
    clear();
}

static void ports(void)
{
    WRITE_CR(4, READ_CR(4) | 8);
    WATCH("port", 0x80, 2, 0, "in $0x80, %%al\n nop");
    WATCH("port, written", 0x80, 2, 0, "out %%al, $0x80\n nop");
    WATCH("other port", 0x80, 2, 0, "in $0x84, %%al\n nop");
    WRITE_CR(4, READ_CR(4) & ~8ul);
}

static void registers(void)
{
    VALUE("dr6 after clearing", "mov %%dr6, %%eax\n mov %%eax, result");
    VALUE("dr7 reserved bits", "mov $0xffff03ff, %%eax\n mov $0x0000d400, %%eax\n xor %%eax, "
                               "%%eax\n mov %%eax, %%dr7\n mov %%dr7, %%eax\n mov %%eax, result");
    VALUE("dr6 all set",
          "mov $0xffffffff, %%eax\n mov %%eax, %%dr6\n mov %%dr6, %%eax\n mov %%eax, result");
    VALUE("dr4 is dr6",
          "xor %%eax, %%eax\n mov %%eax, %%dr6\n .byte 0x0f, 0x21, 0xe0\n mov %%eax, result");
    WRITE_CR(4, READ_CR(4) | 8);
    TRY("dr4 with cr4.de", ".byte 0x0f, 0x21, 0xe0");
    TRY("dr5 with cr4.de", ".byte 0x0f, 0x23, 0xe8");
    WRITE_CR(4, READ_CR(4) & ~8ul);
    RUN("mov $0x2000, %%eax\n mov %%eax, %%dr7\n mov %%dr0, %%eax");
    say("general detect: vector %d at +%2x dr6 %8x\n", (u32)event.vector, (u32)(event.ip - at),
        (u32)read_dr6());
    clear();
    RUN("pushf\n orl $0x100, (%%esp)\n popf\n nop");
    line("single step");
    RUN(".byte 0xf1");
    line("icebp");
    RUN("int $1");
    line("int 1");
}

void main(void)
{
    put("== debug\n");
    clear();
    data();
    code();
    loops();
    ports();
    registers();
}
