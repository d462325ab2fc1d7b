/* What must hold on every CPU: CPUID against itself, MSRs that exist, LOCK, encodings that are
 * undefined, the time-stamp counter. */
#include "lib.h"

static void cpuid(u32 leaf, u32 sub, u32 *out)
{
    asm volatile("cpuid"
                 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                 : "a"(leaf), "c"(sub));
}

static void leaves(void)
{
    u32 r[4], again[4];
    cpuid(0, 0, r);
    say("leaf 0: %s\n", r[0] >= 7 && r[1] && r[2] && r[3] ? "has a vendor and 7 leaves" : "?");
    cpuid(0x80000000, 0, again);
    say("extended leaves: %s\n", again[0] >= 0x80000008 ? "8" : "?");
    cpuid(1, 0, r);
    /* fpu pse tsc msr pae cx8 sep pge cmov clfsh mmx fxsr sse sse2 */
    say("features: %8x\n", r[3] & 0x0708a979u);
    say("sse3 ssse3 cx16 sse4.1 sse4.2 movbe popcnt aes xsave avx f16c: %8x\n", r[2] & 0x36d82201u);
    cpuid(0x80000001, 0, r);
    say("nx, long mode, lahf: %s\n", r[3] >> 20 & 1 && r[3] >> 29 & 1 && r[2] & 1 ? "yes" : "no");
    cpuid(7, 0, r);
    say("bmi1 avx2 smep bmi2: %8x\n", r[1] & 0x1a8);
    cpuid(0xd, 0, r);
    say("xsave area: %d, xcr0 bits %x\n", r[1] ? 576 : 0, r[0] & 7);
    cpuid(1, 0, r);
    cpuid(1, 1, again);
    say("leaf 1 has no subleaves: %s\n", r[3] == again[3] ? "yes" : "no");
    cpuid(0x80000008, 0, r);
    say("address bits: linear %d, physical %s\n", r[0] >> 8 & 255,
        (r[0] & 255) >= 36 ? "36 or more" : "less than 36");
}

static void model_registers(void)
{
    static const struct {
        const char *name;
        u32 msr;
        u64 value;
    } msrs[] = {
        {"sysenter cs", 0x174, 0x1234},
        {"sysenter esp", 0x175, 0x12345678},
        {"sysenter eip", 0x176, 0x9abcdef0},
        {"star", 0xc0000081, 0x0018000800001111},
        {"lstar", 0xc0000082, 0x1234567890},
        {"cstar", 0xc0000083, 0x22},
        {"sfmask", 0xc0000084, 0x47700},
        {"fs base", 0xc0000100, 0x7fff12345678},
        {"gs base", 0xc0000101, 0xffff800000000000},
        {"kernel gs", 0xc0000102, 0xffffffff80000000},
        {"tsc aux", 0xc0000103, 0x55},
        {"pat", 0x277, 0x0007040600070406},
    };
    for (unsigned n = 0; n < sizeof msrs / sizeof *msrs; n++) {
        wrmsr(msrs[n].msr, msrs[n].value);
        say("%s: %lx\n", msrs[n].name, rdmsr(msrs[n].msr));
    }
    TRY("pat with a reserved type", "mov $0x277, %%ecx\n mov $2, %%eax\n xor %%edx, %%edx\n wrmsr");
    TRY("lstar not canonical",
        "mov $0xc0000082, %%ecx\n xor %%eax, %%eax\n mov $0x8000, %%edx\n wrmsr");
    TRY("efer reserved bit", "mov $0xc0000080, %%ecx\n mov $2, %%eax\n xor %%edx, %%edx\n wrmsr");
    TRY("unknown, read", "mov $0x40000999, %%ecx\n rdmsr");
    TRY("unknown, written", "mov $0x40000999, %%ecx\n wrmsr");
    VALUE("apic base: processor of the start",
          "mov $0x1b, %%ecx\n rdmsr\n shr $8, %%eax\n and $1, %%eax\n mov %%eax, result");
    RUN("mov $0x10, %%ecx\n rdmsr\n mov %%eax, %%esi\n mov %%edx, %%edi\n rdtsc\n sub %%esi, "
        "%%eax\n sbb %%edi, %%edx\n mov %%edx, result");
    say("rdtsc after the msr: %s\n", result == 0 ? "not before it" : "?");
    wrmsr(0xc0000103, 0x77);
    VALUE("rdtscp", "rdtscp\n mov %%ecx, result");
}

static void time_stamps(void)
{
    TRY3("user: rdtsc", "rdtsc");
    WRITE_CR(4, READ_CR(4) | 4);
    TRY3("user: rdtsc with tsd", "rdtsc");
    TRY3("user: rdtscp with tsd", "rdtscp");
    TRY("rdtsc with tsd", "rdtsc");
    WRITE_CR(4, READ_CR(4) & ~4ul);
    TRY3("user: rdpmc", "xor %%ecx, %%ecx\n rdpmc");
    TRY3("user: cpuid", "xor %%eax, %%eax\n cpuid");
}

static void locks(void)
{
#define MEMORY(name, insn) TRY("lock " name, "mov $0x60000, %%ebx\n .byte 0xf0\n " insn)
    MEMORY("add", "add %%eax, (%%ebx)");
    MEMORY("adc", "adcl $1, (%%ebx)");
    MEMORY("or byte", "orb $1, (%%ebx)");
    MEMORY("cmp", "cmp %%eax, (%%ebx)");
    MEMORY("add to register", "add (%%ebx), %%eax");
    MEMORY("test", "test %%eax, (%%ebx)");
    MEMORY("mov", "mov %%eax, (%%ebx)");
    MEMORY("inc", "incl (%%ebx)");
    MEMORY("neg", "negl (%%ebx)");
    MEMORY("not", "notl (%%ebx)");
    MEMORY("mul", "mull (%%ebx)");
    MEMORY("xchg", "xchg %%eax, (%%ebx)");
    MEMORY("xadd", "xadd %%eax, (%%ebx)");
    MEMORY("cmpxchg", "cmpxchg %%ecx, (%%ebx)");
    MEMORY("cmpxchg8b", "cmpxchg8b (%%ebx)");
    MEMORY("bt", "btl $1, (%%ebx)");
    MEMORY("bts", "btsl $1, (%%ebx)");
    MEMORY("btc", "btcl $1, (%%ebx)");
    MEMORY("shl", "shll $1, (%%ebx)");
    MEMORY("push", "pushl (%%ebx)");
    MEMORY("movs", "movsb");
    MEMORY("nop", "nop");
    MEMORY("xchg register", "xchg %%eax, %%ecx");
    MEMORY("fild", "fildl (%%ebx)");
    MEMORY("mov cr0", "mov %%cr0, %%eax"); /* CR8 on AMD's */
}

static void undefined(void)
{
    TRY("ud0", ".byte 0x0f, 0xff, 0xc0");
    TRY("ud1", ".byte 0x0f, 0xb9, 0xc0");
    TRY("0f 04", ".byte 0x0f, 0x04");
    TRY("0f 0a", ".byte 0x0f, 0x0a");
    TRY("0f 24", ".byte 0x0f, 0x24, 0xc0");
    TRY("0f 36", ".byte 0x0f, 0x36, 0xc0");
    TRY("0f c7 /0", ".byte 0x0f, 0xc7, 0xc0");
    TRY("cmpxchg8b register", ".byte 0x0f, 0xc7, 0xc8");
    TRY("fe /2", ".byte 0xfe, 0xd0");
    TRY("ff /7", ".byte 0xff, 0xf8");
    TRY("8f /1", ".byte 0x8f, 0xc8");
    TRY("c6 /1", ".byte 0xc6, 0xc8, 0x00");
    TRY("mov to segment 6", ".byte 0x8e, 0xf0");
    TRY("mov from segment 7", ".byte 0x8c, 0xf8");
    TRY("lea register", ".byte 0x8d, 0xc0");
    TRY("bound register", ".byte 0x62, 0xc0");
    TRY("lgs register", ".byte 0x0f, 0xb5, 0xc0");
    TRY("far call register", ".byte 0xff, 0xd8");
    TRY("far jump register", ".byte 0xff, 0xe8");
    TRY("invlpg register 0", ".byte 0x0f, 0x01, 0xfb");
    TRY("movntps register", ".byte 0x0f, 0x2b, 0xc0");
    TRY("vex with 66", ".byte 0x66, 0xc5, 0xf8, 0x58, 0xc0");
    TRY("vex with lock", ".byte 0xf0, 0xc5, 0xf8, 0x58, 0xc0");
    TRY("rsm", "rsm");
    TRY("getsec, vmxon", ".byte 0xf3, 0x0f, 0xc7, 0x33");
    TRY("sahf, lahf", "lahf\n sahf");
    TRY("salc", ".byte 0xd6");
}

void main(void)
{
    put("== cpu\n");
    leaves();
    model_registers();
    time_stamps();
    locks();
    undefined();
}
