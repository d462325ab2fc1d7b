/* FPSCR as one word, and what of the VFP state goes into block keys: ARM DDI 0406C B4.1.58. */
#include "guest/arm/m_profile.h"

#define FPSCR_FLAGS                                                                                \
    (FP_INVALID | FP_DIVZERO | FP_OVERFLOW | FP_UNDERFLOW | FP_INEXACT | FP_DENORMAL)
#define FPSCR_QC     (1u << 27)
#define FPSCR_AHP    (1u << 26)
#define FPSCR_DN     (1u << 25)
#define FPSCR_FZ     (1u << 24)
#define FPSCR_RMODE  (3u << 22)
#define FPSCR_STRIDE (3u << 20)
#define FPSCR_LEN    (7u << 16)

#define CPACR_ASEDIS (1u << 31)
#define CPACR_D32DIS (1u << 30)

/* The trap enable bits read as zero: no CPU here traps floating-point exceptions. */
static uint32_t writable(const struct arm_state *s)
{
    uint32_t mask = FPSCR_DN | FPSCR_FZ | FPSCR_RMODE;
    if (s->features & ARM_F_HALF)
        mask |= FPSCR_AHP;
    if (s->features & ARM_F_AR &&
        (!(s->features & ARM_F_VFP3) || s->mvfr0 >> 24 & 15)) /* MVFR0: short vectors */
        mask |= FPSCR_STRIDE | FPSCR_LEN;
    return mask;
}

uint32_t arm_fpscr_read(struct nw_vcpu *vcpu)
{
    const struct arm_state *s = arm_of(vcpu);

    vcpu_fp_sync(vcpu);
    return s->fpscr_nzcv << 28 | s->fpscr | (vcpu->fp.flags & (FPSCR_FLAGS | FPSCR_QC)) |
           (s->qc ? FPSCR_QC : 0);
}

void arm_fpscr_write(struct nw_vcpu *vcpu, uint32_t value)
{
    struct arm_state *s = arm_of(vcpu);

    vcpu_fp_take(vcpu);
    s->fpscr_nzcv = value >> 28;
    s->fpscr = value & writable(s);
    s->qc = s->features & ARM_F_NEON ? value & FPSCR_QC : 0;
    vcpu->fp = (struct fp_env){
        .round = s->fpscr >> 22 & 3,
        .flush = (s->fpscr & FPSCR_FZ) != 0,
        .default_nan = (s->fpscr & FPSCR_DN) != 0,
        .rules = FP_RULES_ARM,
        .ahp = (s->fpscr & FPSCR_AHP) != 0,
        .flags = value & FPSCR_FLAGS,
    };
    vcpu_fp_changed(vcpu);
}

/* Is there no CPACR (memory-mapped ones do not exist), or may the mode ignore it? */
static bool needs_no_cpacr(const struct arm_state *s)
{
    return !(s->features & ARM_F_V6) || s->features & ARM_F_M || (s->bare && arm_privileged(s));
}

bool arm_vfp_permitted(const struct arm_state *s)
{
    if (!(s->features & ARM_F_VFP2))
        return false;
    if (needs_no_cpacr(s))
        return true;
    unsigned access = s->cpacr >> 20 & 3; /* of cp10; cp11 must say the same */
    return access == 3 || (access == 1 && arm_privileged(s));
}

uint32_t arm_vfp_key_enabled(const struct arm_state *s)
{
    uint32_t key = 0;

    if (!arm_vfp_permitted(s))
        return 0;
    if (s->fpscr & FPSCR_FZ)
        key |= ARM_KEY_FZ;
    if (s->fpscr & FPSCR_RMODE)
        key |= ARM_KEY_ROUND;
    uint32_t disabled = needs_no_cpacr(s) ? 0 : s->cpacr;
    if (s->features & ARM_F_NEON && !(disabled & CPACR_ASEDIS))
        key |= ARM_KEY_NEON;
    if (s->features & ARM_F_D32 && !(disabled & CPACR_D32DIS))
        key |= ARM_KEY_D32;
    return key | ARM_KEY_VFP | ARM_KEY_VECLEN((s->fpscr >> 16 & 7) | (s->fpscr >> 20 & 3) << 3);
}
