/* x86 registers by Unicorn's numbers.
 *
 * A row says what a number names: most are a part of a native register. Where a write is narrower
 * than the register, the rest stays, in 64-bit mode too, which is not what a CPU does but what
 * clients know. */
#include <string.h>
#include <narwhal/x86.h>
#include "exec/hooks.h"
#include "guest/x86/state.h"
#include "reg.h"

enum kind {
    NOTHING,
    PART,   /* SIZE bytes of general register REG from bit SHIFT on */
    OFFSET, /* IP: a part of RIP in 64-bit mode, else all of it */
    WHOLE,  /* the low SIZE bytes of a native register; a write clears the others */
    WORD,   /* the same; 8 bytes in 64-bit mode, else 4 */
    MXCSR,
    SEGMENT,  /* a selector */
    STACK,    /* of the x87 stack, from its top */
    PHYSICAL, /* of the x87 registers */
    MMX,
    VECTOR, /* the first SIZE bytes of a vector register */
    TABLE,  /* GDTR or IDTR, from its native base and limit */
    SYSTEM, /* LDTR or TR, from its native selector */
    MSR,
};

enum { ONLY64 = 1 };

struct row {
    uint8_t kind, size, shift, flags;
    uint16_t reg; /* native number; of vectors, segments and the x87 stack: which one */
};

#define ROW(id, ...) [UC_X86_REG_##id] = {__VA_ARGS__}
#define GENERAL(a, n)                                                                              \
    ROW(R##a, PART, 8, 0, ONLY64, n), ROW(E##a, PART, 4, 0, 0, n), ROW(a, PART, 2, 0, 0, n)
#define LETTER(a, n) GENERAL(a##X, n), ROW(a##L, PART, 1, 0, 0, n), ROW(a##H, PART, 1, 8, 0, n)
#define INDEX(a, n)  GENERAL(a, n), ROW(a##L, PART, 1, 0, ONLY64, n)
#define NUMBER(n)                                                                                  \
    ROW(R##n, PART, 8, 0, ONLY64, n), ROW(R##n##D, PART, 4, 0, ONLY64, n),                         \
        ROW(R##n##W, PART, 2, 0, ONLY64, n), ROW(R##n##B, PART, 1, 0, ONLY64, n)
#define SEG(a, n)  ROW(a, SEGMENT, 2, 0, 0, n)
#define CONTROL(n) ROW(CR##n, WORD, 8, 0, 0, NW_X86_CR0 + (n))
#define DEBUG(n)   ROW(DR##n, WORD, 8, 0, 0, NW_X86_DR0 + (n))
#define FLOATS(n)                                                                                  \
    ROW(ST##n, STACK, 10, 0, 0, n), ROW(FP##n, PHYSICAL, 10, 0, 0, n),                             \
        ROW(MM##n, MMX, 8, 0, 0, n), ROW(K##n, WHOLE, 8, 0, ONLY64, NW_X86_K0 + (n))
#define VECTORS(n, flags)                                                                          \
    ROW(XMM##n, VECTOR, 16, 0, flags, n), ROW(YMM##n, VECTOR, 32, 0, flags, n),                    \
        ROW(ZMM##n, VECTOR, 64, 0, ONLY64, n)

static const struct row rows[UC_X86_REG_ENDING] = {
    LETTER(A, 0),
    LETTER(C, 1),
    LETTER(D, 2),
    LETTER(B, 3),
    INDEX(SP, 4),
    INDEX(BP, 5),
    INDEX(SI, 6),
    INDEX(DI, 7),
    NUMBER(8),
    NUMBER(9),
    NUMBER(10),
    NUMBER(11),
    NUMBER(12),
    NUMBER(13),
    NUMBER(14),
    NUMBER(15),
    ROW(RIP, WHOLE, 8, 0, ONLY64, NW_X86_RIP),
    ROW(EIP, WHOLE, 4, 0, 0, NW_X86_RIP),
    ROW(IP, OFFSET, 2, 0, 0, NW_X86_RIP),
    ROW(RFLAGS, WHOLE, 8, 0, ONLY64, NW_X86_RFLAGS),
    ROW(EFLAGS, WHOLE, 4, 0, 0, NW_X86_RFLAGS),
    ROW(FLAGS, WHOLE, 2, 0, 0, NW_X86_RFLAGS),
    SEG(ES, 0),
    SEG(CS, 1),
    SEG(SS, 2),
    SEG(DS, 3),
    SEG(FS, 4),
    SEG(GS, 5),
    ROW(FS_BASE, WORD, 8, 0, 0, NW_X86_FS_BASE),
    ROW(GS_BASE, WORD, 8, 0, 0, NW_X86_GS_BASE),
    CONTROL(0),
    CONTROL(1),
    CONTROL(2),
    CONTROL(3),
    CONTROL(4),
    ROW(CR8, WHOLE, 8, 0, ONLY64, NW_X86_CR0 + 8),
    DEBUG(0),
    DEBUG(1),
    DEBUG(2),
    DEBUG(3),
    DEBUG(4),
    DEBUG(5),
    DEBUG(6),
    DEBUG(7),
    FLOATS(0),
    FLOATS(1),
    FLOATS(2),
    FLOATS(3),
    FLOATS(4),
    FLOATS(5),
    FLOATS(6),
    FLOATS(7),
    ROW(FPCW, WHOLE, 2, 0, 0, NW_X86_FPCW),
    ROW(FPSW, WHOLE, 2, 0, 0, NW_X86_FPSW),
    ROW(FPTAG, WHOLE, 2, 0, 0, NW_X86_FPTAG),
    ROW(FIP, WHOLE, 8, 0, 0, NW_X86_FIP),
    ROW(FCS, WHOLE, 2, 0, 0, NW_X86_FCS),
    ROW(FDP, WHOLE, 8, 0, 0, NW_X86_FDP),
    ROW(FDS, WHOLE, 2, 0, 0, NW_X86_FDS),
    ROW(FOP, WHOLE, 2, 0, 0, NW_X86_FOP),
    ROW(MXCSR, MXCSR, 4, 0, 0, NW_X86_MXCSR),
    ROW(GDTR, TABLE, sizeof(uc_x86_mmr), 0, 0, NW_X86_GDTR_BASE),
    ROW(IDTR, TABLE, sizeof(uc_x86_mmr), 0, 0, NW_X86_IDTR_BASE),
    ROW(LDTR, SYSTEM, sizeof(uc_x86_mmr), 0, 0, NW_X86_ES + 6),
    ROW(TR, SYSTEM, sizeof(uc_x86_mmr), 0, 0, NW_X86_ES + 7),
    ROW(MSR, MSR, sizeof(uc_x86_msr), 0, 0, 0),
    VECTORS(0, 0),
    VECTORS(1, 0),
    VECTORS(2, 0),
    VECTORS(3, 0),
    VECTORS(4, 0),
    VECTORS(5, 0),
    VECTORS(6, 0),
    VECTORS(7, 0),
    VECTORS(8, ONLY64),
    VECTORS(9, ONLY64),
    VECTORS(10, ONLY64),
    VECTORS(11, ONLY64),
    VECTORS(12, ONLY64),
    VECTORS(13, ONLY64),
    VECTORS(14, ONLY64),
    VECTORS(15, ONLY64),
    VECTORS(16, ONLY64),
    VECTORS(17, ONLY64),
    VECTORS(18, ONLY64),
    VECTORS(19, ONLY64),
    VECTORS(20, ONLY64),
    VECTORS(21, ONLY64),
    VECTORS(22, ONLY64),
    VECTORS(23, ONLY64),
    VECTORS(24, ONLY64),
    VECTORS(25, ONLY64),
    VECTORS(26, ONLY64),
    VECTORS(27, ONLY64),
    VECTORS(28, ONLY64),
    VECTORS(29, ONLY64),
    VECTORS(30, ONLY64),
    VECTORS(31, ONLY64),
};

/* The row of ID, null: nothing; and how many bytes it has in MODE. */
static const struct row *find(uc_mode mode, int id, unsigned *size)
{
    if (id <= 0 || id >= UC_X86_REG_ENDING)
        return NULL;
    const struct row *row = &rows[id];
    if (row->kind == NOTHING || (row->flags & ONLY64 && !(mode & UC_MODE_64)))
        return NULL;
    *size = row->kind == WORD && !(mode & UC_MODE_64) ? 4 : row->size;
    return row;
}

/* The registers that clients live on are read and written in the state itself; a callback may have
 * to bring it there first. */
static struct x86_state *state(nw_vcpu *vcpu, bool writes)
{
    if (NW_UNLIKELY(vcpu->frame != NULL)) {
        hooks_inside(vcpu);
        if (writes)
            hooks_note_write(vcpu);
    }
    return x86_of(vcpu);
}

static uint64_t get(nw_vcpu *vcpu, unsigned reg)
{
    uint64_t v;

    nw_reg_read(vcpu, reg, &v); /* makes it 0 where there is none */
    return v;
}

static void copy(void *to, const void *from, unsigned size)
{
    switch (size) {
    case 8: memcpy(to, from, 8); break;
    case 4: memcpy(to, from, 4); break;
    case 2: memcpy(to, from, 2); break;
    default: memcpy(to, from, 1); break;
    }
}

static uint64_t low_bits(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/* The place in the stack of physical x87 register N, and back. */
static unsigned from_top(nw_vcpu *vcpu, unsigned n)
{
    return (n - (unsigned)(get(vcpu, NW_X86_FPSW) >> 11)) & 7;
}

static unsigned physical(nw_vcpu *vcpu, unsigned n)
{
    return (n + (unsigned)(get(vcpu, NW_X86_FPSW) >> 11)) & 7;
}

/* ---- reading ---- */

static void read_float(nw_vcpu *vcpu, unsigned n, void *value)
{
    uint64_t mantissa = get(vcpu, NW_X86_ST0 + n), exponent = get(vcpu, NW_X86_ST0_EXP + n);

    memcpy(value, &mantissa, 8);
    memcpy((uint8_t *)value + 8, &exponent, 2);
}

static void read_system(nw_vcpu *vcpu, const struct row *row, uc_x86_mmr *to)
{
    if (row->kind == TABLE) {
        to->base = get(vcpu, row->reg);
        to->limit = (uint32_t)get(vcpu, row->reg + 1u);
        return;
    }
    to->selector = (uint16_t)get(vcpu, row->reg);
    to->base = get(vcpu, row->reg + (NW_X86_ES_BASE - NW_X86_ES));
    to->limit = (uint32_t)get(vcpu, row->reg + (NW_X86_ES_LIMIT - NW_X86_ES));
    to->flags = (uint32_t)get(vcpu, row->reg + (NW_X86_ES_ATTR - NW_X86_ES)) << 8;
}

static void read_other(nw_vcpu *vcpu, const struct row *row, void *value)
{
    uint64_t v;

    switch (row->kind) {
    case STACK: read_float(vcpu, row->reg, value); return;
    case PHYSICAL: read_float(vcpu, from_top(vcpu, row->reg), value); return;
    case MMX:
        v = get(vcpu, NW_X86_ST0 + from_top(vcpu, row->reg));
        memcpy(value, &v, 8);
        return;
    case VECTOR:
        if (row->reg < 16 && row->size <= 32) {
            const uint8_t *ymm = state(vcpu, false)->ymm[row->reg];
            memcpy(value, ymm, 16);
            if (row->size == 32)
                memcpy((uint8_t *)value + 16, ymm + 16, 16);
            return;
        }
        for (unsigned n = 0; n < row->size / 8u; n++) {
            v = get(vcpu, NW_X86_ZMM0 + 8u * row->reg + n);
            memcpy((uint8_t *)value + 8 * n, &v, 8);
        }
        return;
    case MSR: {
        uc_x86_msr *msr = value;
        msr->value = 0;
        nw_x86_msr_read(vcpu, msr->rid, &msr->value);
        return;
    }
    default: read_system(vcpu, row, value); return;
    }
}

uc_err uc_x86_reg_read(nw_vcpu *vcpu, uc_mode mode, int id, void *value, size_t *size)
{
    unsigned used;
    const struct row *row = find(mode, id, &used);

    if (!row)
        return UC_ERR_OK;
    if (*size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    uint64_t v;
    switch (row->kind) {
    case PART:
        v = state(vcpu, false)->gpr[row->reg] >> row->shift;
        copy(value, &v, used);
        break;
    case OFFSET:
    case WHOLE:
    case WORD:
    case MXCSR:
        v = get(vcpu, row->reg);
        copy(value, &v, used);
        break;
    case SEGMENT: memcpy(value, &state(vcpu, false)->seg[row->reg].selector, 2); break;
    default: read_other(vcpu, row, value); break;
    }
    return UC_ERR_OK;
}

/* ---- writing ---- */

static uc_err write_segment(nw_vcpu *vcpu, uc_mode mode, unsigned seg, uint16_t selector)
{
    enum { FS = 4 };

    /* What 64-bit code makes nothing of is the selector alone. */
    if (mode & UC_MODE_64 && seg < FS)
        nw_reg_write(vcpu, NW_X86_ES + seg, selector);
    else if (nw_x86_segment_load(vcpu, seg, selector) != NW_OK)
        return UC_ERR_EXCEPTION;
    return UC_ERR_OK;
}

/* What has been written is there to be used: its register is not empty. */
static void write_float(nw_vcpu *vcpu, unsigned n, uint64_t mantissa, unsigned exponent)
{
    uint64_t tags = get(vcpu, NW_X86_FPTAG);

    nw_reg_write(vcpu, NW_X86_ST0 + n, mantissa);
    nw_reg_write(vcpu, NW_X86_ST0_EXP + n, exponent);
    nw_reg_write(vcpu, NW_X86_FPTAG, tags & ~(3ull << 2 * physical(vcpu, n)));
}

static void write_system(nw_vcpu *vcpu, uc_mode mode, const struct row *row, const uc_x86_mmr *from)
{
    uint64_t base = mode & UC_MODE_64 ? from->base : (uint32_t)from->base;

    if (row->kind == TABLE) {
        nw_reg_write(vcpu, row->reg, base);
        nw_reg_write(vcpu, row->reg + 1u, (uint16_t)from->limit);
        return;
    }
    nw_reg_write(vcpu, row->reg, from->selector);
    nw_reg_write(vcpu, row->reg + (NW_X86_ES_BASE - NW_X86_ES), base);
    nw_reg_write(vcpu, row->reg + (NW_X86_ES_LIMIT - NW_X86_ES), from->limit);
    nw_reg_write(vcpu, row->reg + (NW_X86_ES_ATTR - NW_X86_ES), from->flags >> 8 & 0xf0ff);
}

static void write_other(nw_vcpu *vcpu, uc_mode mode, const struct row *row, const void *value)
{
    uint64_t v;
    uint16_t exponent;

    memcpy(&v, value, 8);
    switch (row->kind) {
    case STACK:
    case PHYSICAL:
        memcpy(&exponent, (const uint8_t *)value + 8, 2);
        write_float(vcpu, row->kind == STACK ? row->reg : from_top(vcpu, row->reg), v, exponent);
        return;
    case MMX: write_float(vcpu, from_top(vcpu, row->reg), v, 0xffff); return;
    case VECTOR:
        if (row->reg < 16 && row->size <= 32) {
            uint8_t *ymm = state(vcpu, true)->ymm[row->reg];
            memcpy(ymm, value, 16);
            if (row->size == 32)
                memcpy(ymm + 16, (const uint8_t *)value + 16, 16);
            return;
        }
        for (unsigned n = 0; n < row->size / 8u; n++) {
            memcpy(&v, (const uint8_t *)value + 8 * n, 8);
            nw_reg_write(vcpu, NW_X86_ZMM0 + 8u * row->reg + n, v);
        }
        return;
    case MSR: {
        const uc_x86_msr *msr = value;
        nw_x86_msr_write(vcpu, msr->rid, msr->value); /* what WRMSR refuses has no effect */
        return;
    }
    default: write_system(vcpu, mode, row, value); return;
    }
}

uc_err uc_x86_reg_write(nw_vcpu *vcpu, uc_mode mode, int id, const void *value, size_t *size)
{
    enum { MXCSR_BITS = 0xffff };
    unsigned used;
    const struct row *row = find(mode, id, &used);
    uint64_t v = 0;

    if (!row)
        return UC_ERR_OK;
    if (*size < used)
        return UC_ERR_OVERFLOW;
    *size = used;
    switch (row->kind) {
    case PART: {
        uint64_t *reg = &state(vcpu, true)->gpr[row->reg], mask = low_bits(used) << row->shift;
        copy(&v, value, used);
        *reg = (*reg & ~mask) | v << row->shift;
        break;
    }
    case OFFSET:
        memcpy(&v, value, 2);
        if (mode & UC_MODE_64)
            v |= get(vcpu, row->reg) & ~0xffffull;
        nw_reg_write(vcpu, row->reg, v);
        break;
    case WHOLE:
    case WORD:
        copy(&v, value, used);
        nw_reg_write(vcpu, row->reg, v);
        break;
    case MXCSR:
        memcpy(&v, value, 4);
        nw_reg_write(vcpu, row->reg, v & MXCSR_BITS);
        break;
    case SEGMENT: memcpy(&v, value, 2); return write_segment(vcpu, mode, row->reg, (uint16_t)v);
    default: write_other(vcpu, mode, row, value); break;
    }
    return UC_ERR_OK;
}
