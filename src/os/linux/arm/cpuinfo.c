/* /proc/cpuinfo as an ARM kernel writes it (arch/arm/kernel/setup.c, c_show). */
#include <unistd.h>
#include "guest/arm/state.h"
#include "os/linux/arm/arm.h"

static void write_features(const struct arm_state *s, FILE *out)
{
    static const struct {
        uint32_t feature;
        const char *name;
    } names[] = {
        {ARM_F_VFP2, "vfp"},    {ARM_F_VFP3, "vfpv3"},  {ARM_F_VFP4, "vfpv4"}, {ARM_F_V6K, "tls"},
        {ARM_F_DIV_A, "idiva"}, {ARM_F_DIV_T, "idivt"}, {ARM_F_D32, "vfpd32"},
    };
    fputs("half thumb fastmult edsp", out);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (s->features & names[i].feature)
            fprintf(out, " %s", names[i].name);
}

void arm_cpuinfo(struct linux_task *t, FILE *out)
{
    const struct arm_state *s = arm_of(t->vcpu);
    unsigned level = s->features & ARM_F_V7 ? 7 : s->features & ARM_F_V6 ? 6 : 5;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (long i = 0; i < (cpus > 0 ? cpus : 1); i++) {
        fprintf(out, "processor\t: %ld\n", i);
        fprintf(out, "model name\t: ARMv%u Processor rev %u (v%ul)\n", level, s->midr & 15, level);
        fprintf(out, "BogoMIPS\t: 100.00\n");
        fprintf(out, "Features\t: ");
        write_features(s, out);
        /* MIDR, ARM DDI 0406C B4.1.105 */
        fprintf(out, "\nCPU implementer\t: 0x%02x\n", s->midr >> 24);
        fprintf(out, "CPU architecture: %u\n", level);
        fprintf(out, "CPU variant\t: 0x%x\n", s->midr >> 20 & 15);
        fprintf(out, "CPU part\t: 0x%03x\n", s->midr >> 4 & 0xfff);
        fprintf(out, "CPU revision\t: %u\n\n", s->midr & 15);
    }
    fprintf(out, "Hardware\t: Narwhal\nRevision\t: 0000\nSerial\t\t: 0000000000000000\n");
}
