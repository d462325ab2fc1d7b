/* Registers by number: see narwhal/x86.h. */
#include "guest/x86/regs.h"

#include <string.h>
#include <narwhal/x86.h>
#include "guest/x86/debug.h"
#include "guest/x86/flags.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"
#include "guest/x86/x87.h"

/* What writing a register leads to. */
enum effect {
    NONE = 1,  /* nothing */
    GPR,       /* a guest without long mode has the lower half */
    MODE,      /* the mode word follows from it */
    DEBUG,     /* so do watchpoints */
    PAGING,    /* translations depend on it */
    SELECTOR,  /* the segment's base may */
    STACK,     /* nothing; it is the N-th from the top of the x87 stack */
    OF_ITSELF, /* it is not a slot: see read_special and write_special */
};

/* A register that is a slot of the state, or a part of one. */
struct reg_row {
    uint16_t offset;
    uint8_t log2; /* of its bytes */
    uint8_t effect;
};

#define SLOT(reg, field, log2, effect) [reg] = {X86_OFF(field), log2, effect}
#define SPECIAL(reg)                   [reg] = {0, 0, OF_ITSELF}
#define PAIR(of, n)                    of(n), of((n) + 1)
#define FOUR(of, n)                    PAIR(of, n), PAIR(of, (n) + 2)
#define EIGHT(of, n)                   FOUR(of, n), FOUR(of, (n) + 4)
#define SIXTEEN(of, n)                 EIGHT(of, n), EIGHT(of, (n) + 8)

#define GENERAL(n)  SLOT(n, gpr[n], 3, GPR)
#define CHOSEN(n)   SLOT(NW_X86_ES + (n), seg[n].selector, 1, SELECTOR)
#define BASE(n)     SLOT(NW_X86_ES_BASE + (n), seg[n].base, 3, (n) < X86_FS ? MODE : NONE)
#define LIMIT(n)    SLOT(NW_X86_ES_LIMIT + (n), seg[n].limit, 2, MODE)
#define ATTR(n)     SLOT(NW_X86_ES_ATTR + (n), seg[n].attr, 1, MODE)
#define DR(n)       SLOT(NW_X86_DR0 + (n), dr[n], 3, DEBUG)
#define MANTISSA(n) SLOT(NW_X86_ST0 + (n), fpr[n], 3, STACK)
#define EXPONENT(n) SLOT(NW_X86_ST0_EXP + (n), fpr[n][8], 1, STACK)
#define YMM(n)                                                                                     \
    SLOT(NW_X86_YMM0 + 4 * (n), ymm[n][0], 3, NONE),                                               \
        SLOT(NW_X86_YMM0 + 4 * (n) + 1, ymm[n][8], 3, NONE),                                       \
        SLOT(NW_X86_YMM0 + 4 * (n) + 2, ymm[n][16], 3, NONE),                                      \
        SLOT(NW_X86_YMM0 + 4 * (n) + 3, ymm[n][24], 3, NONE)
#define OPMASK(n)                      SLOT(NW_X86_K0 + (n), opmask[n], 3, NONE)
#define ZMM_WORD(n, word, field, byte) SLOT(NW_X86_ZMM0 + 8 * (n) + (word), field[byte], 3, NONE)
#define ZMM(n)                                                                                     \
    ZMM_WORD(n, 0, ymm[n], 0), ZMM_WORD(n, 1, ymm[n], 8), ZMM_WORD(n, 2, ymm[n], 16),              \
        ZMM_WORD(n, 3, ymm[n], 24), ZMM_WORD(n, 4, zmm_high[n], 0),                                \
        ZMM_WORD(n, 5, zmm_high[n], 8), ZMM_WORD(n, 6, zmm_high[n], 16),                           \
        ZMM_WORD(n, 7, zmm_high[n], 24)
#define ZMM_HALF(n, w)                                                                             \
    ZMM_WORD((n) + 16, w, zmm_more[n], 8 * (w)),                                                   \
        ZMM_WORD((n) + 16, (w) + 1, zmm_more[n], 8 * (w) + 8),                                     \
        ZMM_WORD((n) + 16, (w) + 2, zmm_more[n], 8 * (w) + 16),                                    \
        ZMM_WORD((n) + 16, (w) + 3, zmm_more[n], 8 * (w) + 24)
#define ZMM_MORE(n) ZMM_HALF(n, 0), ZMM_HALF(n, 4)

static const struct reg_row rows[NW_X86_REG_END] = {
    SIXTEEN(GENERAL, 0),
    EIGHT(CHOSEN, 0),
    EIGHT(BASE, 0),
    EIGHT(LIMIT, 0),
    EIGHT(ATTR, 0),
    EIGHT(DR, 0),
    EIGHT(MANTISSA, 0),
    EIGHT(EXPONENT, 0),
    SIXTEEN(YMM, 0),
    EIGHT(OPMASK, 0),
    SIXTEEN(ZMM, 0),
    SIXTEEN(ZMM_MORE, 0),
    SPECIAL(NW_X86_RIP),
    SPECIAL(NW_X86_PC),
    SPECIAL(NW_X86_RFLAGS),
    SPECIAL(NW_X86_MXCSR),
    SPECIAL(NW_X86_FPTAG),
    SLOT(NW_X86_FPCW, fpcw, 1, MODE),
    SLOT(NW_X86_FPSW, fpsw, 1, MODE),
    SLOT(NW_X86_FIP, fpip, 3, NONE),
    SLOT(NW_X86_FCS, fpcs, 1, NONE),
    SLOT(NW_X86_FDP, fpdp, 3, NONE),
    SLOT(NW_X86_FDS, fpds, 1, NONE),
    SLOT(NW_X86_FOP, fpop, 1, NONE),
    SLOT(NW_X86_XCR0, xcr0, 3, MODE),
    SLOT(NW_X86_EFER, efer, 3, PAGING),
    SLOT(NW_X86_GDTR_BASE, gdtr.base, 3, NONE),
    SLOT(NW_X86_GDTR_LIMIT, gdtr.limit, 2, NONE),
    SLOT(NW_X86_IDTR_BASE, idtr.base, 3, NONE),
    SLOT(NW_X86_IDTR_LIMIT, idtr.limit, 2, NONE),
    SLOT(NW_X86_KERNEL_GS_BASE, kernel_gs_base, 3, NONE),
    SLOT(NW_X86_CR0, cr0, 3, PAGING),
    SLOT(NW_X86_CR0 + 2, cr2, 3, NONE),
    SLOT(NW_X86_CR0 + 3, cr3, 3, PAGING),
    SLOT(NW_X86_CR0 + 4, cr4, 3, PAGING),
    SLOT(NW_X86_CR0 + 8, cr8, 3, NONE),
};

/* The slot that ROW names now. */
static uint8_t *slot_of(struct x86_state *s, const struct reg_row *row)
{
    unsigned offset = row->offset;

    if (row->effect == STACK) {
        unsigned top = s->fpsw >> 11 & 7, n = (offset - X86_OFF(fpr)) / sizeof s->fpr[0];
        offset += (((n + top) & 7) - n) * (unsigned)sizeof s->fpr[0];
    }
    return (uint8_t *)s + offset;
}

static uint64_t read_special(struct nw_vcpu *vcpu, unsigned reg)
{
    struct x86_state *s = x86_of(vcpu);

    switch (reg) {
    case NW_X86_RIP:
        return s->mode & X86_KEY_CODE64 ? s->pc : (uint32_t)(s->pc - s->seg[X86_CS].base);
    case NW_X86_PC: return s->pc;
    case NW_X86_RFLAGS: return x86_eflags_read(s);
    case NW_X86_MXCSR: return x86_mxcsr_read(vcpu);
    default: return x87_tag_word(s);
    }
}

nw_status x86_reg_read(struct nw_vcpu *vcpu, unsigned reg, uint64_t *value)
{
    struct x86_state *s = x86_of(vcpu);
    const struct reg_row *row = &rows[reg < NW_X86_REG_END ? reg : NW_X86_REG_END - 1];

    *value = 0;
    if (reg >= NW_X86_REG_END || !row->effect)
        return NW_ERR_ARG;
    if (row->effect == OF_ITSELF) {
        *value = read_special(vcpu, reg);
        return NW_OK;
    }
    const uint8_t *slot = slot_of(s, row);
    switch (row->log2) {
    case 3: memcpy(value, slot, 8); break;
    case 2: memcpy(value, slot, 4); break;
    default: memcpy(value, slot, 2); break;
    }
    return NW_OK;
}

static void set_pc(struct x86_state *s, uint64_t pc)
{
    s->pc = s->mode & X86_KEY_CODE64 ? pc : (uint32_t)pc;
    s->halted = X86_RUNNING;
}

/* Of EFLAGS: what the mode word follows from. */
#define MODE_FLAGS (X86_TF | X86_IOPL | X86_RF | X86_VM | X86_AC)

static nw_status write_special(struct nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    uint32_t old;

    switch (reg) {
    case NW_X86_RIP:
        set_pc(s, s->mode & X86_KEY_CODE64 ? value : value + s->seg[X86_CS].base);
        return NW_OK;
    case NW_X86_RFLAGS:
        old = s->eflags;
        x86_eflags_write(s, (uint32_t)value, X86_FLAGS_ALL);
        if ((old ^ s->eflags) & MODE_FLAGS)
            x86_mode_update(s);
        return NW_OK;
    case NW_X86_MXCSR:
        if (value & ~(uint64_t)X86_MXCSR_MASK)
            return NW_ERR_ARG;
        x86_mxcsr_write(vcpu, (uint32_t)value);
        return NW_OK;
    default: s->fptag = x87_tags((unsigned)value); return NW_OK;
    }
}

static void take_effect(struct nw_vcpu *vcpu, unsigned reg, const struct reg_row *row)
{
    struct x86_state *s = x86_of(vcpu);

    switch (row->effect) {
    case SELECTOR:
        if (x86_real_or_vm86(s) && reg <= NW_X86_ES + X86_GS) {
            s->seg[reg - NW_X86_ES].base = s->seg[reg - NW_X86_ES].selector * 16u;
            x86_mode_update(s);
        }
        return;
    case PAGING:
        if (vcpu->guest->addr_type == IR_I32)
            s->efer &= ~(uint64_t)(X86_EFER_LME | X86_EFER_LMA);
        x86_mode_update(s);
        x86_mmu_state_set(vcpu);
        return;
    case DEBUG: x86_debug_changed(vcpu); return;
    default: x86_mode_update(s); return;
    }
}

nw_status x86_reg_write(struct nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    const struct reg_row *row = &rows[reg < NW_X86_REG_END ? reg : NW_X86_REG_END - 1];

    if (NW_LIKELY(reg == NW_X86_PC)) { /* before each run */
        set_pc(s, value);
        return NW_OK;
    }
    if (reg >= NW_X86_REG_END || !row->effect)
        return NW_ERR_ARG;
    if (row->effect == OF_ITSELF)
        return write_special(vcpu, reg, value);
    if (row->effect == GPR && vcpu->guest->addr_type == IR_I32)
        value = (uint32_t)value;
    uint8_t *slot = slot_of(s, row);
    switch (row->log2) {
    case 3: memcpy(slot, &value, 8); break;
    case 2: memcpy(slot, &value, 4); break;
    default: memcpy(slot, &value, 2); break;
    }
    if (row->effect != NONE && row->effect != GPR && row->effect != STACK)
        take_effect(vcpu, reg, row);
    return NW_OK;
}
