/* Real mode (SDM 3A chapter 20): vectors and IRET, far transfers, string instructions, instructions
 * that need protected mode, 4 GiB limits kept from there. */
#include "lib.h"

static void software_interrupts(void)
{
    TRY("int 0x21", "int $0x21");
    TRY("int3", "int3");
    TRY("int1", ".byte 0xf1");
    TRY("into, OF set", "movb $0x7f, %%al\n incb %%al\n into");
    TRY("into, OF clear", "xor %%al, %%al\n into");
    TRY("ud2", "ud2");
    TRY("div by 0", "xor %%cx, %%cx\n div %%cx");
    TRY("div overflow", "mov $2, %%dx\n mov $1, %%cx\n div %%cx");
    TRY("aam 0", "aam $0");
    TRY("bound inside", "movl $0x00140000, 0x600\n mov $20, %%ax\n bound %%ax, 0x600");
    TRY("bound outside", "movl $0x00140000, 0x600\n mov $21, %%ax\n bound %%ax, 0x600");
    RUN("sti\n pushfw\n orw $0x100, (%%esp)\n popfw\n int $0x22");
    say("TF and IF in the handler: %6x\n", (u32)(event.flags_now & 0x300));
    RUN("sti\n std\n int $0x22");
    say("interrupt image %6x, in the handler %6x\n", (u32)(event.flags & 0x700),
        (u32)(event.flags_now & 0x300));
}

static u8 back(struct frame *f)
{
    result++;
    event.vector = NONE;
    f->flags ^= 0xd5; /* IRET takes all of these */
    return 1;
}

static void returns(void)
{
    hook = back;
    result = 0;
    VALUE("iret to after int", "int $0x23\n int $0x24\n int $0x25");
    VALUE("iret brings flags",
          "xor %%eax, %%eax\n int $0x23\n lahf\n movzbl %%ah, %%eax\n mov %%eax, result");
    hook = 0;
    VALUE("iretw",
          "pushfw\n pushw %%cs\n pushw $1f\n movl $1, result\n iretw\n movl $2, result\n1:");
    VALUE("iretl",
          "pushfl\n pushl %%cs\n pushl $1f\n movl $1, result\n iretl\n movl $2, result\n1:");
    VALUE("popfw", "pushw $0x7ed7\n popfw\n pushfl\n popl result\n pushw $2\n popfw");
    VALUE("popfl", "pushl $0x003c7ed7\n popfl\n pushfl\n popl result\n pushl $2\n popfl");
    VALUE("popfl rf vm", "pushl $0x00030002\n popfl\n pushfl\n popl result\n pushl $2\n popfl");
}

static void far_transfers(void)
{
    VALUE("lcallw and lretw",
          "movl $0, result\n lcallw $0x100, $1f - 0x1000\n incl result\n jmp 2f\n1: addl $0x10, "
          "result\n"
          "mov %%cs, %%ax\n movzx %%ax, %%eax\n shl $16, %%eax\n add %%eax, result\n lretw\n2:");
    VALUE("lcalll and lretl n", "movl $0, result\n pushw $5\n mov %%esp, %%ebx\n lcalll $0x100, "
                                "$1f - 0x1000\n sub %%esp, %%ebx\n"
                                "add %%bx, result\n jmp 2f\n1: lretl $2\n2: nop");
    VALUE(
        "ljmpw",
        "movl $0, result\n ljmpw $0x80, $1f - 0x800\n1: mov %%cs, result\n ljmpw $0, $2f\n2: nop");
    VALUE("ljmp through memory",
          "movw $1f - 0xf00, 0x630\n movw $0xf0, 0x632\n ljmpw *0x630\n1: mov %%cs, result\n"
          "ljmpw $0, $2f\n2: nop");
    VALUE("lds", "movl $0x12345678, 0x640\n lds 0x640, %%si\n mov %%ds, %%ax\n shl $16, %%eax\n "
                 "mov %%si, %%ax\n"
                 "xor %%bx, %%bx\n mov %%bx, %%ds\n mov %%eax, result");
    VALUE("enter and leave",
          "mov %%esp, %%ebx\n enterw $16, $1\n mov %%ebp, %%eax\n leavew\n sub %%esp, %%ebx\n"
          "mov %%ebx, result");
    VALUE("pusha image",
          "mov %%esp, %%ebx\n pushaw\n mov 6(%%esp), %%ax\n sub %%ebx, %%eax\n popaw\n"
          "movzx %%ax, %%eax\n mov %%eax, result");
    VALUE("push sp", "mov %%esp, %%ebx\n pushw %%sp\n popw %%ax\n sub %%bx, %%ax\n movzx %%ax, "
                     "%%eax\n mov %%eax, result");
    VALUE("xlat with segment",
          "mov $0x6000, %%ax\n mov %%ax, %%es\n movb $0x5a, %%es:0x105\n mov $0x100, %%bx\n"
          "mov $5, %%al\n xlatb %%es:(%%bx)\n movzx %%al, %%eax\n mov %%eax, result");
}

static void strings(void)
{
    VALUE(
        "rep stosw",
        "mov $0x6000, %%ax\n mov %%ax, %%es\n mov $0x10, %%di\n mov $4, %%cx\n mov $0xabcd, %%ax\n"
        "rep stosw\n mov %%es:0x16, %%ax\n shl $16, %%eax\n mov %%di, %%ax\n mov %%eax, result");
    VALUE(
        "rep movsb fs: down",
        "mov $0x6000, %%ax\n mov %%ax, %%es\n mov %%ax, %%fs\n mov $0x13, %%si\n mov $0x33, %%di\n"
        "mov $4, %%cx\n std\n rep movsb %%fs:(%%si), %%es:(%%di)\n cld\n mov %%es:0x30, %%eax\n"
        "mov %%eax, result");
    VALUE("rep movsb cx 0",
          "mov $0x12340000, %%ecx\n mov $1, %%si\n rep movsb\n mov %%ecx, result");
    VALUE("repe cmpsb",
          "mov $0x6000, %%ax\n mov %%ax, %%es\n mov %%ax, %%ds\n movb $1, 0x33\n mov $0x10, %%si\n"
          "mov $0x30, %%di\n mov $9, %%cx\n repe cmpsb\n mov $0, %%ax\n mov %%ax, %%ds\n movzx "
          "%%cx, %%eax\n"
          "mov %%eax, result");
    VALUE("repne scasb", "mov $0x6000, %%ax\n mov %%ax, %%es\n movb $0x77, %%es:0x200\n mov "
                         "$0x1f0, %%di\n mov $0x77, %%al\n"
                         "mov $0xffff, %%cx\n repne scasb\n movzx %%cx, %%eax\n mov %%eax, result");
    VALUE("lodsd", "movl $0x89abcdef, 0x650\n mov $0x650, %%si\n lodsl\n mov %%eax, result");
    VALUE("loop cx wraps", "xor %%eax, %%eax\n mov $0x10000, %%ecx\n1: inc %%eax\n .byte 0xe2, "
                           "0xfc\n mov %%eax, result");
    VALUE("jcxz", "mov $0x10000, %%ecx\n movl $1, result\n jcxz 1f\n movl $2, result\n1:");
}

static void protected_only(void)
{
    TRY("lldt", "lldt %%ax");
    TRY("ltr", "ltr %%ax");
    TRY("sldt", "sldt %%ax");
    TRY("str", "str %%ax");
    TRY("verr", "verr %%ax");
    TRY("lar", "lar %%ax, %%bx");
    TRY("lsl", "lsl %%ax, %%bx");
    TRY("arpl", ".byte 0x63, 0xc0");
    TRY("syscall", "syscall");
    TRY("sysenter", "sysenter");
    TRY("sysexit", "sysexit");
    TRY("vmcall", "vmcall");
    VALUE("smsw", "smsw %%ax\n movzx %%ax, %%eax\n mov %%eax, result");
    VALUE("cr0 pg only", "mov %%cr0, %%eax\n and $0x11, %%eax\n mov %%eax, result");
    TRY("cr1", ".byte 0x0f, 0x20, 0xc8");
    TRY("cr5", ".byte 0x0f, 0x20, 0xe8");
    TRY("mov to cs", ".byte 0x8e, 0xc8");
    TRY("lock nop", ".byte 0xf0, 0x90");
    TRY("lock add register", ".byte 0xf0, 0x01, 0xd8");
    TRY("lock add memory", "lock addw $1, 0x660");
    TRY("lock cmp memory", ".byte 0xf0, 0x83, 0x3e, 0x60, 0x06, 1");
    TRY("lea register", ".byte 0x8d, 0xc0");
    TRY("les register", ".byte 0xc4, 0xc0");
    TRY("16 bytes long",
        ".byte 0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x90");
    TRY("15 bytes long",
        ".byte 0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x2e,0x90");
}

/* Single steps: the addresses after which the trap came. */
static word stepped[12], steps;

static u8 step(struct frame *f)
{
    if (f->vector != 1)
        return 0;
    if (steps < 12)
        stepped[steps++] = f->ip - at;
    return 1;
}

static void show_steps(const char *name)
{
    say("%s:", name);
    for (unsigned n = 0; n < steps; n++)
        say(" +%2x", (u32)stepped[n]);
    put("\n");
}

#define STEP(name, insns)                                                                          \
    do {                                                                                           \
        steps = 0;                                                                                 \
        hook = step;                                                                               \
        RUN("pushfw\n orw $0x100, (%%esp)\n popfw\n" insns                                         \
            "\n pushfw\n andw $~0x100, (%%esp)\n popfw");                                          \
        hook = 0;                                                                                  \
        show_steps(name);                                                                          \
    } while (0)

static void single_step(void)
{
    STEP("steps", "nop\n inc %%ax\n nop");
    STEP("steps over mov ss", "xor %%ax, %%ax\n mov %%ax, %%ss\n nop\n nop");
    STEP("steps over pop ss", "pushw %%ss\n popw %%ss\n nop\n nop");
    STEP("steps of rep stosb", "mov $0x700, %%di\n mov $3, %%cx\n rep stosb\n nop");
    STEP("steps into a call", "callw 1f\n jmp 2f\n1: nop\n retw\n2:");
}

/* Limits loaded in protected mode stay in real mode until the segment is loaded again by a far
 * jump or in protected mode; loading it in real mode changes the base alone. */
static void big_limits(void)
{
    static u64 table[2];
    static struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) pointer;
    table[1] = 0x00cf93000000ffff;
    pointer.limit = 15;
    pointer.base = (u32)table;
    asm volatile("lgdtl %0" : : "m"(pointer));
    RUN("mov %%cr0, %%eax\n inc %%ax\n mov %%eax, %%cr0\n jmp 1f\n1: mov $8, %%bx\n mov %%bx, "
        "%%fs\n dec %%ax\n"
        "mov %%eax, %%cr0\n jmp 1f\n1: mov $0x200000, %%ebx\n movl $0x600df00d, %%fs:(%%ebx)\n"
        "mov %%fs:(%%ebx), %%eax\n mov %%eax, result\n mov $0xc, %%ax\n mov %%ax, %%fs\n mov "
        "%%fs:-0xc0(%%ebx), %%eax\n"
        "mov %%eax, result2");
    report("big limit");
    say("%8x %8x\n", (u32)result, (u32)result2);
}

void main(void)
{
    put("== real\n");
    software_interrupts();
    returns();
    far_transfers();
    strings();
    protected_only();
    single_step();
    big_limits();
}
