/* #NM, #MF, #XM and the control bits behind them; XSETBV; the error pin of old (SDM 3A 2.5, SDM 1
 * 8.7). */
#include "lib.h"

static void cr0_bits(unsigned bits)
{
    WRITE_CR(0, (READ_CR(0) & ~0x2eul) | bits);
}

enum { MP = 2, EM = 4, TS = 8, NE = 0x20 };

static void table(void)
{
    static const u8 sets[] = {0, MP, EM, EM | MP, TS, TS | MP, TS | EM, TS | EM | MP};
    for (unsigned n = 0; n < sizeof sets; n++) {
        cr0_bits(NE);
        asm volatile("fninit");
        say("cr0 %s%s%s:", sets[n] & MP ? "mp " : "", sets[n] & EM ? "em " : "",
            sets[n] & TS ? "ts " : "");
#define ONE(name, insns)                                                                           \
    do {                                                                                           \
        cr0_bits(sets[n] | NE);                                                                    \
        RUN(insns);                                                                                \
        if (WENT_WELL)                                                                             \
            put(" " name " ok");                                                                   \
        else                                                                                       \
            say(" " name " %d", (u32)event.vector);                                                \
    } while (0)
        ONE("fld1", "fld1");
        ONE("fwait", "fwait");
        ONE("fninit", "fninit");
        ONE("fnstsw", "fnstsw %%ax");
        ONE("fxsave", "fxsave 0x60000");
        ONE("pand", "pand %%mm0, %%mm0");
        ONE("emms", "emms");
        ONE("addps", "addps %%xmm0, %%xmm0");
        ONE("ldmxcsr", "stmxcsr 0x60000\n ldmxcsr 0x60000");
        ONE("sfence", "sfence");
        ONE("movnti", "movnti %%eax, 0x60000");
        ONE("crc32", "crc32b %%al, %%eax");
        put("\n");
    }
    cr0_bits(NE);
}

static void pending(void)
{
    asm volatile("fninit");
    /* Zero divide unmasked: the next waiting instruction faults. */
    TRY("divide by zero unmasked", "movw $0x037b, 0x600\n fldcw 0x600\n fld1\n fldz\n fdivrp");
    TRY("then nop", "nop");
    TRY("then fld1", "fld1");
    TRY("then fwait", "fwait");
    VALUE("then fnstsw", "xor %%eax, %%eax\n fnstsw %%ax\n mov %%eax, result");
    TRY("then fnclex, fld1", "fnclex\n fld1");
    TRY("stack overflow unmasked", "fninit\n movw $0x037e, 0x600\n fldcw 0x600\n fld1\n fld1\n "
                                   "fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n nop\n fwait");
    VALUE("status", "xor %%eax, %%eax\n fnstsw %%ax\n mov %%eax, result");
    TRY("emms with pending", "emms");
    TRY("fninit", "fninit\n fwait");
    TRY("fstp of an invalid, pending at the next",
        "movw $0x037e, 0x600\n fldcw 0x600\n fldz\n fldz\n fdivp\n fstps 0x610");
    TRY("fnstenv masks", "fnstenv 0x60000\n fwait");
    asm volatile("fninit");
}

static void sse(void)
{
    RUN("movl $0x1f80, 0x600\n ldmxcsr 0x600\n xorps %%xmm0, %%xmm0\n movl $0x3f800000, 0x604\n "
        "movss 0x604, %%xmm1");
    TRY("divss masked", "divss %%xmm0, %%xmm1");
    VALUE("mxcsr", "stmxcsr 0x600\n mov 0x600, %%eax\n mov %%eax, result");
    TRY("divss unmasked",
        "movl $0x1d80, 0x600\n ldmxcsr 0x600\n movss 0x604, %%xmm1\n divss %%xmm0, %%xmm1");
    WRITE_CR(4, READ_CR(4) & ~0x400ul);
    TRY("divss unmasked without osxmmexcpt", "divss %%xmm0, %%xmm1");
    WRITE_CR(4, READ_CR(4) | 0x400);
    VALUE("mxcsr", "stmxcsr 0x600\n mov 0x600, %%eax\n mov %%eax, result");
    TRY("ldmxcsr reserved", "movl $0x10000, 0x600\n ldmxcsr 0x600");
    TRY("movaps not aligned", "movaps 0x604, %%xmm0");
    TRY("movups", "movups 0x604, %%xmm0");
    TRY("fxsave not aligned", "fxsave 0x60008");
    WRITE_CR(4, READ_CR(4) & ~0x200ul);
    TRY("addps without osfxsr", "addps %%xmm0, %%xmm0");
    TRY("pand without osfxsr", "pand %%mm0, %%mm0");
    TRY("fxsave without osfxsr", "fxsave 0x60000");
    TRY("sfence without osfxsr", "sfence");
    WRITE_CR(4, READ_CR(4) | 0x200);
    RUN("movl $0x1f80, 0x600\n ldmxcsr 0x600\n emms");
}

static void extended(void)
{
    TRY("xgetbv without osxsave", "xor %%ecx, %%ecx\n xgetbv");
    TRY("vaddps without osxsave", "vaddps %%ymm0, %%ymm0, %%ymm0");
    WRITE_CR(4, READ_CR(4) | 0x40000);
    VALUE("xcr0 at first", "xor %%ecx, %%ecx\n xgetbv\n mov %%eax, result");
    TRY("vaddps with xcr0 1", "vaddps %%ymm0, %%ymm0, %%ymm0");
    TRY("xsetbv 0", "xor %%ecx, %%ecx\n xor %%edx, %%edx\n xor %%eax, %%eax\n xsetbv");
    TRY("xsetbv 5", "xor %%ecx, %%ecx\n xor %%edx, %%edx\n mov $5, %%eax\n xsetbv");
    TRY("xsetbv 9 of xcr1", "mov $1, %%ecx\n xor %%edx, %%edx\n mov $1, %%eax\n xsetbv");
    TRY("xsetbv unknown bit", "xor %%ecx, %%ecx\n mov $0x40000000, %%edx\n mov $1, %%eax\n xsetbv");
    TRY("xsetbv 7", "xor %%ecx, %%ecx\n xor %%edx, %%edx\n mov $7, %%eax\n xsetbv");
    VALUE("xgetbv", "xor %%ecx, %%ecx\n xgetbv\n mov %%eax, result");
    TRY("xgetbv 2", "mov $2, %%ecx\n xgetbv");
    TRY("vaddps", "vaddps %%ymm0, %%ymm0, %%ymm0");
    TRY3("user: xsetbv", "xor %%ecx, %%ecx\n xor %%edx, %%edx\n mov $7, %%eax\n xsetbv");
    TRY3("user: vaddps", "vaddps %%ymm0, %%ymm0, %%ymm0");
    cr0_bits(NE | TS);
    TRY("vaddps with ts", "vaddps %%ymm0, %%ymm0, %%ymm0");
    TRY("xsave with ts", "mov $7, %%eax\n xor %%edx, %%edx\n xsave 0x60000");
    TRY("xgetbv with ts", "xor %%ecx, %%ecx\n xgetbv");
    cr0_bits(NE | EM);
    TRY("vaddps with em", "vaddps %%ymm0, %%ymm0, %%ymm0");
    cr0_bits(NE);
    VALUE("cpuid osxsave",
          "mov $1, %%eax\n cpuid\n shr $27, %%ecx\n and $1, %%ecx\n mov %%ecx, result");
    WRITE_CR(4, READ_CR(4) & ~0x40000ul);
    VALUE("cpuid osxsave, off",
          "mov $1, %%eax\n cpuid\n shr $27, %%ecx\n and $1, %%ecx\n mov %%ecx, result");
    TRY("vaddps, off", "vaddps %%ymm0, %%ymm0, %%ymm0");
}

/* #AC: in ring 3 with AM and AC alone. */
static void alignment(void)
{
    WRITE_CR(0, READ_CR(0) | 0x40000);
    TRY("ring 0 with am", "pushf\n orl $0x40000, (%%esp)\n popf\n mov 0x601, %%eax\n pushf\n andl "
                          "$~0x40000, (%%esp)\n popf");
    user_flags = 0x40002;
    TRY3("user: dword at 1", "mov 0x601, %%eax");
    TRY3("user: word at 1", "mov %%ax, 0x601");
    TRY3("user: byte at 1", "mov 0x601, %%al");
    TRY3("user: qword at 4", "fldl 0x604");
    TRY3("user: push", "mov $0x77ffe, %%esp\n push %%eax");
    TRY3("user: movups", "movups 0x602, %%xmm0");
    TRY3("user: movaps", "movaps 0x602, %%xmm0");
    TRY3("user: sgdt", "sgdt 0x602");
    user_flags = 2;
    TRY3("user without ac: dword at 1", "mov 0x601, %%eax");
    WRITE_CR(0, READ_CR(0) & ~0x40000ul);
    user_flags = 0x40002;
    TRY3("user without am: dword at 1", "mov 0x601, %%eax");
    user_flags = 2;
}

void main(void)
{
    put("== fpu\n");
    WRITE_CR(4, READ_CR(4) | 0x600);
    table();
    pending();
    sse();
    extended();
    alignment();
}
