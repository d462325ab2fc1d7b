/* The ARM guest as the engine sees it. */
#include <string.h>

#include "guest/arm/control.h"
#include "guest/arm/cp15.h"
#include "guest/arm/decode.h"
#include "guest/arm/front.h"
#include "guest/arm/m_profile.h"
#include "guest/arm/mmu.h"
#include <narwhal/arm.h>

#define CPSR_AIF   (7u << 6)
#define CPACR_FULL (0xfu << 20) /* full access to cp10 and cp11 */

static nw_status arm_init(struct nw_vcpu *vcpu, const char *model)
{
    struct arm_state *s = arm_of(vcpu);

    memset(s, 0, sizeof *s);
    TRY(arm_model_init(s, model));
    arm_system_reset(s);
    s->control = ARM_USR;
    s->cpacr = CPACR_FULL;
    s->fpexc = ARM_FPEXC_EN;
    if (s->features & ARM_F_M)
        arm_m_reset(s, false);
    arm_fpscr_write(vcpu, 0);
    return NW_OK;
}

/* A privileged CPU whose exceptions are the caller's affair. */
static void arm_bare(struct nw_vcpu *vcpu)
{
    struct arm_state *s = arm_of(vcpu);

    s->control = ARM_SVC | CPSR_AIF;
    s->nzcv = 4;
    s->fpexc = 0;
    s->bare = 1;
    if (s->features & ARM_F_M)
        arm_m_reset(s, true);
    s->cpacr = arm_cpacr(s, 0);
}

static void arm_load(struct nw_vcpu *vcpu, const void *state, uint32_t flags)
{
    struct arm_state *s = arm_of(vcpu);
    const uint32_t features = s->features, model = s->model, bare = s->bare;
    const uint32_t midr = s->midr, ctr = s->ctr, fpsid = s->fpsid;
    const uint32_t mvfr0 = s->mvfr0, mvfr1 = s->mvfr1;

    memcpy(s, state, sizeof *s);
    s->features = features;
    s->model = model;
    s->bare = bare;
    s->midr = midr;
    s->ctr = ctr;
    s->fpsid = fpsid;
    s->mvfr0 = mvfr0;
    s->mvfr1 = mvfr1;
    s->nzcv &= 15;
    s->q &= 1;
    s->ge &= 15;
    s->thumb &= 1;
    s->big_endian &= 1;
    s->word_invariant &= 1;
    s->itstate &= s->thumb ? 0xff : 0;
    s->fpscr_nzcv &= 15;
    s->mpu_number &= ARRAY_LEN(s->mpu) - 1;
    s->control &= CPSR_AIF | 0x1f;
    s->idle &= ARM_CPSR_IDLE | (s->thumb ? 0 : ARM_CPSR_IT);
    if (!arm_mode_valid(s->control))
        s->control = (s->control & CPSR_AIF) | ARM_SVC;
    if (s->excl_size > 8)
        s->excl_size = 0;
    s->r[15] &= s->thumb || s->features & ARM_F_M ? ~1u : ~3u;
    if (s->features & ARM_F_M)
        arm_m_loaded(s);
    vcpu->fp.flags = flags;
    arm_fpscr_write(vcpu, arm_fpscr_read(vcpu));
    arm_mmu_changed(vcpu);
}

static void arm_advance(struct nw_vcpu *vcpu, unsigned size)
{
    struct arm_state *s = arm_of(vcpu);

    s->r[15] += size;
    s->itstate = arm_it_advance((uint8_t)s->itstate);
}

static bool arm_big_endian(const struct nw_vcpu *vcpu)
{
    return ((const struct arm_state *)vcpu->state)->big_endian;
}

static struct block_key arm_key(const struct nw_vcpu *vcpu)
{
    const struct arm_state *s = (const struct arm_state *)vcpu->state;
    uint32_t mode = ARM_KEY_IT(s->itstate & 0xff) | arm_vfp_key(s);

    if (s->thumb)
        mode |= ARM_KEY_THUMB;
    if (arm_privileged(s))
        mode |= ARM_KEY_PRIV;
    if (s->features & ARM_F_M)
        mode |= arm_m_key(s);
    if (s->big_endian)
        mode |= ARM_KEY_BE;
    if (s->sctlr & ARM_SCTLR_A)
        mode |= ARM_KEY_ALIGN;
    if (s->sctlr & ARM_SCTLR_B)
        mode |= ARM_KEY_BIG_CODE | (s->word_invariant ? ARM_KEY_BE32 : 0);
    return (struct block_key){s->r[15], mode};
}

/* ---- registers by number ---- */

static uint32_t *spsr(struct arm_state *s)
{
    enum arm_bank bank = arm_bank_of(s->control);

    return bank == ARM_BANK_USR && !s->bare ? NULL : &s->spsr[bank];
}

/* The registers that are one plain word of the state. */
static uint32_t *plain_reg(struct arm_state *s, unsigned reg)
{
    if (reg < 16)
        return &s->r[reg];
    switch (reg) {
    case NW_ARM_SPSR: return spsr(s);
    case NW_ARM_CPACR: return &s->cpacr;
    case NW_ARM_SYNDROME: return &s->syndrome;
    case NW_ARM_FPEXC: return &s->fpexc;
    case NW_ARM_FPSID: return &s->fpsid;
    case NW_ARM_TPIDRURW: return &s->tpidrurw;
    case NW_ARM_TPIDRURO: return &s->tpidruro;
    case NW_ARM_TPIDRPRW: return &s->tpidrprw;
    case NW_ARM_WORD_INVARIANT: return &s->word_invariant;
    default: return NULL;
    }
}

static nw_status arm_reg_read(struct nw_vcpu *vcpu, unsigned reg, uint64_t *value)
{
    struct arm_state *s = arm_of(vcpu);
    const uint32_t *word;

    if (NW_LIKELY(reg < 16)) {
        *value = s->r[reg];
        return NW_OK;
    }
    word = plain_reg(s, reg);
    if (word)
        *value = *word;
    else if (reg == NW_ARM_BX)
        *value = s->r[15] | (s->thumb ? 1 : 0);
    else if (reg == NW_ARM_CPSR)
        *value = arm_cpsr_read(s);
    else if (reg == NW_ARM_FPSCR)
        *value = arm_fpscr_read(vcpu);
    else if (reg == NW_ARM_BIG_ENDIAN_CODE)
        *value = (s->sctlr & ARM_SCTLR_B) != 0;
    else if (reg >= NW_ARM_D0 && reg < NW_ARM_D0 + 32)
        *value = s->d[reg - NW_ARM_D0];
    else if (reg >= NW_ARM_S0 && reg < NW_ARM_S0 + 32)
        *value = (uint32_t)(s->d[(reg - NW_ARM_S0) / 2] >> 32 * ((reg - NW_ARM_S0) & 1));
    else
        return arm_m_reg_read(s, reg, value) ? NW_OK : NW_ERR_ARG;
    return NW_OK;
}

static void go_to(struct arm_state *s, uint32_t pc)
{
    s->r[15] = pc & ~1u;
    s->thumb = pc & 1;
    if (!s->thumb)
        s->itstate = 0;
}

static nw_status arm_reg_write(struct nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    struct arm_state *s = arm_of(vcpu);
    uint32_t *word;

    if (NW_LIKELY(reg < NW_ARM_PC)) {
        s->r[reg] = (uint32_t)value;
        return NW_OK;
    }
    word = plain_reg(s, reg);
    if (reg == NW_ARM_WORD_INVARIANT)
        value = value != 0;
    if (reg == NW_ARM_PC) {
        s->r[15] = (uint32_t)value & ~1u;
    } else if (reg == NW_ARM_BX) {
        go_to(s, (uint32_t)value);
    } else if (word && reg != NW_ARM_FPSID) {
        *word = (uint32_t)value;
    } else if (reg == NW_ARM_CPSR) {
        arm_cpsr_write(s, (uint32_t)value, UINT32_MAX);
    } else if (reg == NW_ARM_FPSCR) {
        arm_fpscr_write(vcpu, (uint32_t)value);
    } else if (reg == NW_ARM_BIG_ENDIAN_CODE) {
        if (s->features & ARM_F_M) /* has no SCTLR */
            return NW_OK;
        s->sctlr = (s->sctlr & ~ARM_SCTLR_B) | (value ? ARM_SCTLR_B : 0);
    } else if (reg >= NW_ARM_D0 && reg < NW_ARM_D0 + 32) {
        s->d[reg - NW_ARM_D0] = value;
    } else if (reg >= NW_ARM_S0 && reg < NW_ARM_S0 + 32) {
        unsigned shift = 32 * ((reg - NW_ARM_S0) & 1);
        uint64_t *d = &s->d[(reg - NW_ARM_S0) / 2];
        *d = (*d & ~(0xffffffffull << shift)) | (uint64_t)(uint32_t)value << shift;
    } else {
        return arm_m_reg_write(s, reg, (uint32_t)value) ? NW_OK : NW_ERR_ARG;
    }
    return NW_OK;
}

/* ---- names for listings ---- */

static const char *slot_name(uint32_t offset, unsigned size)
{
    static const char *const regs[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                       "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
    static const char *const doubles[] = {"d0",  "d1",  "d2",  "d3",  "d4",  "d5",  "d6",  "d7",
                                          "d8",  "d9",  "d10", "d11", "d12", "d13", "d14", "d15",
                                          "d16", "d17", "d18", "d19", "d20", "d21", "d22", "d23",
                                          "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31"};
    static const char *const singles[] = {"s0",  "s1",  "s2",  "s3",  "s4",  "s5",  "s6",  "s7",
                                          "s8",  "s9",  "s10", "s11", "s12", "s13", "s14", "s15",
                                          "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23",
                                          "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31"};
#define SLOT(field)                                                                                \
    {                                                                                              \
        ARM_OFF(field), #field                                                                     \
    }
    static const struct {
        uint32_t offset;
        const char *name;
    } slots[] = {SLOT(nzcv),      SLOT(q),          SLOT(ge),         SLOT(thumb),
                 SLOT(itstate),   SLOT(big_endian), SLOT(control),    SLOT(excl_addr),
                 SLOT(excl_size), SLOT(excl_value), SLOT(fpscr_nzcv), SLOT(fpscr),
                 SLOT(fpexc),     SLOT(tpidrurw),   SLOT(tpidruro),   SLOT(tpidrprw)};
#undef SLOT

    if (offset < 64 && size == 4 && offset % 4 == 0)
        return regs[offset / 4];
    if (offset >= ARM_OFF(d) && offset < ARM_OFF(d) + 32 * 8) {
        uint32_t at = offset - ARM_OFF(d);
        if (size == 8 && at % 8 == 0)
            return doubles[at / 8];
        return size == 4 && at % 4 == 0 && at < 128 ? singles[at / 4] : NULL;
    }
    for (unsigned k = 0; k < ARRAY_LEN(slots); k++) {
        if (slots[k].offset == offset)
            return slots[k].name;
    }
    return NULL;
}

/* Hottest first: compiled code lives in r0-r3, the stack pointer, and r4-r7 of loops; r12 and lr
 * are scratch around calls. */
static const struct guest_pin pins[] = {
    {ARM_OFF(r[0]), IR_I32}, {ARM_OFF(r[1]), IR_I32},  {ARM_OFF(r[2]), IR_I32},
    {ARM_OFF(r[3]), IR_I32}, {ARM_OFF(r[13]), IR_I32}, {ARM_OFF(r[4]), IR_I32},
    {ARM_OFF(r[5]), IR_I32}, {ARM_OFF(r[14]), IR_I32}, {ARM_OFF(r[12]), IR_I32},
    {ARM_OFF(r[6]), IR_I32}, {ARM_OFF(r[7]), IR_I32},
};

const struct guest_ops arm_guest = {
    .name = "arm",
    .arch = NW_ARCH_ARM,
    .models = "arm926, arm946, arm1026, arm1136-r2, arm1136, arm1176, arm11mpcore, "
              "cortex-r5, cortex-r5f, cortex-a7, cortex-a8, cortex-a8-r0, cortex-a9, "
              "cortex-a15, cortex-m0, cortex-m3, cortex-m4, cortex-m7, cortex-m33, ti925t, sa1100, "
              "sa1110, pxa250, pxa255, pxa260, pxa261, pxa262, "
              "pxa270, pxa270-a1, pxa270-b0, pxa270-b1, pxa270-c0, pxa270-c5 or max",
    .state_size = sizeof(struct arm_state),
    .pc_offset = ARM_OFF(r[15]),
    .aux_offset = ARM_OFF(itstate),
    .flags_offset = ARM_OFF(nzcv),
    .addr_type = IR_I32,
    .min_insn = 2,
    .pins = pins,
    .npins = ARRAY_LEN(pins),
    .names = {slot_name},
    .init = arm_init,
    .reset = arm_reset,
    .bare = arm_bare,
    .key = arm_key,
    .big_endian = arm_big_endian,
    .lift = arm_lift_block,
    .fault = arm_abort,
    .exception = arm_exception_enter,
    .interrupt = arm_interrupt,
    .wakes = arm_wakes,
    .translate = arm_translate,
    .mmu_index = arm_mmu_index,
    .fetch_modes = ARM_KEY_PRIV,
    .physical_bits = ARM_PHYSICAL_BITS,
    .mmu_later = true,
    .insn_id = arm_insn_named,
    .load = arm_load,
    .advance = arm_advance,
    .reg_read = arm_reg_read,
    .reg_write = arm_reg_write,
};
