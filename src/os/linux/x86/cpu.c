/* What programs are told about the CPU: the auxiliary vector, /proc/cpuinfo. */
#include <unistd.h>
#include "guest/x86/cpuid.h"
#include "guest/x86/model.h"
#include "os/linux/x86/x86.h"

/* AT_HWCAP2 (asm/hwcap2.h) */
enum { HWCAP2_FSGSBASE = 1 << 1 };

struct linux_auxv_cpu linux_x86_auxv(struct linux_task *t, const char *platform, unsigned frame)
{
    const struct x86_state *s = x86_of(t->vcpu);
    uint32_t out[4];
    x86_cpuid(t->vcpu, 1, 0, out);
    return (struct linux_auxv_cpu){
        .hwcap = out[3],
        .hwcap2 = x86_model_has(s->model, X86_F_FSGSBASE) ? HWCAP2_FSGSBASE : 0,
        .platform = platform,
        /* The kernel's reckoning: the frame, its alignment and that of the state in it. */
        .min_stack = (frame + 15 + linux_x86_fp_size(t) + 63) & ~15u,
    };
}

/* As arch/x86/include/asm/cpufeatures.h names and orders them. */
static const struct {
    const char *name;
    uint32_t leaf, sub;
    uint8_t reg, bit; /* of what CPUID gives: 0..3 is EAX, EBX, ECX, EDX */
} flags[] = {
    {"fpu", 1, 0, 3, 0},
    {"vme", 1, 0, 3, 1},
    {"de", 1, 0, 3, 2},
    {"pse", 1, 0, 3, 3},
    {"tsc", 1, 0, 3, 4},
    {"msr", 1, 0, 3, 5},
    {"pae", 1, 0, 3, 6},
    {"mce", 1, 0, 3, 7},
    {"cx8", 1, 0, 3, 8},
    {"apic", 1, 0, 3, 9},
    {"sep", 1, 0, 3, 11},
    {"mtrr", 1, 0, 3, 12},
    {"pge", 1, 0, 3, 13},
    {"mca", 1, 0, 3, 14},
    {"cmov", 1, 0, 3, 15},
    {"pat", 1, 0, 3, 16},
    {"pse36", 1, 0, 3, 17},
    {"clflush", 1, 0, 3, 19},
    {"mmx", 1, 0, 3, 23},
    {"fxsr", 1, 0, 3, 24},
    {"sse", 1, 0, 3, 25},
    {"sse2", 1, 0, 3, 26},
    {"ht", 1, 0, 3, 28},
    {"syscall", 0x80000001, 0, 3, 11},
    {"nx", 0x80000001, 0, 3, 20},
    {"mmxext", 0x80000001, 0, 3, 22},
    {"fxsr_opt", 0x80000001, 0, 3, 25},
    {"pdpe1gb", 0x80000001, 0, 3, 26},
    {"rdtscp", 0x80000001, 0, 3, 27},
    {"lm", 0x80000001, 0, 3, 29},
    {"pni", 1, 0, 2, 0},
    {"pclmulqdq", 1, 0, 2, 1},
    {"monitor", 1, 0, 2, 3},
    {"ssse3", 1, 0, 2, 9},
    {"fma", 1, 0, 2, 12},
    {"cx16", 1, 0, 2, 13},
    {"pcid", 1, 0, 2, 17},
    {"sse4_1", 1, 0, 2, 19},
    {"sse4_2", 1, 0, 2, 20},
    {"movbe", 1, 0, 2, 22},
    {"popcnt", 1, 0, 2, 23},
    {"aes", 1, 0, 2, 25},
    {"xsave", 1, 0, 2, 26},
    {"avx", 1, 0, 2, 28},
    {"f16c", 1, 0, 2, 29},
    {"rdrand", 1, 0, 2, 30},
    {"hypervisor", 1, 0, 2, 31},
    {"lahf_lm", 0x80000001, 0, 2, 0},
    {"abm", 0x80000001, 0, 2, 5},
    {"sse4a", 0x80000001, 0, 2, 6},
    {"3dnowprefetch", 0x80000001, 0, 2, 8},
    {"fsgsbase", 7, 0, 1, 0},
    {"bmi1", 7, 0, 1, 3},
    {"avx2", 7, 0, 1, 5},
    {"smep", 7, 0, 1, 7},
    {"bmi2", 7, 0, 1, 8},
    {"erms", 7, 0, 1, 9},
    {"invpcid", 7, 0, 1, 10},
    {"rdseed", 7, 0, 1, 18},
    {"adx", 7, 0, 1, 19},
    {"smap", 7, 0, 1, 20},
    {"clflushopt", 7, 0, 1, 23},
    {"clwb", 7, 0, 1, 24},
    {"sha_ni", 7, 0, 1, 29},
    {"xsaveopt", 0xd, 1, 0, 0},
    {"xsavec", 0xd, 1, 0, 1},
    {"xgetbv1", 0xd, 1, 0, 2},
    {"xsaves", 0xd, 1, 0, 3},
    {"umip", 7, 0, 2, 2},
    {"gfni", 7, 0, 2, 8},
    {"vaes", 7, 0, 2, 9},
    {"vpclmulqdq", 7, 0, 2, 10},
    {"rdpid", 7, 0, 2, 22},
    {"fsrm", 7, 0, 3, 4},
};

static void write_flags(struct linux_task *t, FILE *out)
{
    fputs("flags\t\t:", out);
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        uint32_t regs[4];
        x86_cpuid(t->vcpu, flags[i].leaf, flags[i].sub, regs);
        if (regs[flags[i].reg] >> flags[i].bit & 1)
            fprintf(out, " %s", flags[i].name);
    }
    fputc('\n', out);
}

static void write_cpu(struct linux_task *t, FILE *out, long number, long count)
{
    const struct x86_state *s = x86_of(t->vcpu);
    const struct x86_model *m = s->model;
    uint32_t regs[4];
    fprintf(out, "processor\t: %ld\n", number);
    fprintf(out, "vendor_id\t: %s\n", x86_model_vendor(m));
    fprintf(out, "cpu family\t: %u\nmodel\t\t: %u\n", m->family, m->number);
    fprintf(out, "model name\t: %s\nstepping\t: %u\n", m->brand, m->stepping);
    fprintf(out, "cpu MHz\t\t: 1000.000\ncache size\t: 512 KB\n");
    fprintf(out, "physical id\t: 0\nsiblings\t: %ld\ncore id\t\t: %ld\ncpu cores\t: %ld\n", count,
            number, count);
    fprintf(out, "apicid\t\t: %ld\ninitial apicid\t: %ld\n", number, number);
    x86_cpuid(t->vcpu, 0, 0, regs);
    fprintf(out, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", regs[0]);
    write_flags(t, out);
    fprintf(out, "bugs\t\t:\nbogomips\t: 2000.00\nclflush size\t: 64\ncache_alignment\t: 64\n");
    x86_cpuid(t->vcpu, 0x80000008, 0, regs);
    fprintf(out, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
            regs[0] & 0xff, regs[0] >> 8 & 0xff);
}

void linux_x86_cpuinfo(struct linux_task *t, FILE *out)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    cpus = cpus > 0 ? cpus : 1;
    for (long i = 0; i < cpus; i++)
        write_cpu(t, out, i, cpus);
}
