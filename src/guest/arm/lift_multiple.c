/* Loads and stores of several registers, ARM DDI 0406C A5.5, with their User-bank and
 * exception-return forms, and SRS and RFE. */
#include "guest/arm/front.h"
#include "guest/arm/lift_m.h"

/* Offset of the lowest address from the base for COUNT words (A8.8.57 to A8.8.61). */
static uint32_t start_offset(const struct arm_insn *i, unsigned count)
{
    if (i->U)
        return i->P ? 4 : 0;
    return i->P ? 0u - 4 * count : 4 - 4 * count;
}

/* The addresses of a transfer: base + constant, word by word. */
struct block {
    ir_val base;
    uint32_t offset; /* of the next word */
    ir_val after;    /* what writeback puts */
    unsigned flags;  /* of the next access: the first one's alignment is that of all */
};

static struct block block_of(struct arm_lift *l, const struct arm_insn *i, unsigned count)
{
    ir_val base = arm_reg_get(l, i->n);

    return (struct block){base, start_offset(i, count),
                          arm_offset(l, base, i->U, arm_const(l, 4 * count)), ARM_ALIGNED};
}

static ir_val next_address(struct arm_lift *l, struct block *at)
{
    ir_val addr = ir_add(l->b, IR_I32, at->base, arm_const(l, at->offset));

    at->offset += 4;
    return addr;
}

static ir_val load_next(struct arm_lift *l, struct block *at)
{
    ir_val v = arm_load(l, next_address(l, at), 2, at->flags);

    at->flags = 0;
    return v;
}

static void store_next(struct arm_lift *l, struct block *at, ir_val v)
{
    arm_store(l, next_address(l, at), v, 2, at->flags);
    at->flags = ARM_AGAIN;
}

static bool bad_list(struct arm_lift *l, const struct arm_insn *i, bool load)
{
    bool base_in_list = i->list >> i->n & 1;

    if (i->n == 15 || !i->list)
        return true;
    /* Loading the base and writing it back has no defined outcome from v7 on (A8.8.58). */
    if (load && i->W && base_in_list && arm_has(l, ARM_F_V7))
        return true;
    /* T32: a single register, SP, PC in a store, LR with PC (A8.8.57). */
    return l->thumb && i->size == 4 &&
           (!(i->list & (i->list - 1)) || i->list & 0x2000 || (!load && i->list & 0x8000) ||
            (load && (i->list & 0xc000) == 0xc000) || (!load && i->W && base_in_list));
}

/* LDM and POP: A8.8.57 to A8.8.61, A8.8.131 */
void arm_ldm(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val values[16];

    if (bad_list(l, i, true)) {
        arm_unpredictable(l);
        return;
    }
    struct block at = block_of(l, i, (unsigned)__builtin_popcount(i->list));
    if (i->W)
        arm_m_check_stack(l, i->n, at.after);
    for (unsigned n = 0; n < 16; n++) {
        if (i->list >> n & 1)
            values[n] = load_next(l, &at);
    }
    if (i->W && !(i->list >> i->n & 1))
        arm_reg_put(l, i->n, at.after);
    for (unsigned n = 0; n < 15; n++) {
        if (i->list >> n & 1)
            arm_reg_put(l, n, values[n]);
    }
    if (i->list >> 15)
        arm_load_write_pc(l, values[15]);
}

/* STM and PUSH: A8.8.199 to A8.8.202, A8.8.133 */
void arm_stm(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_list(l, i, false)) {
        arm_unpredictable(l);
        return;
    }
    struct block at = block_of(l, i, (unsigned)__builtin_popcount(i->list));
    if (i->W)
        arm_m_check_stack(l, i->n, at.after);
    for (unsigned n = 0; n < 16; n++) {
        /* A base that is written back and not the lowest is stored as UNKNOWN: it is the old one.
         */
        if (i->list >> n & 1)
            store_next(l, &at, arm_reg_get(l, n));
    }
    if (i->W)
        arm_reg_put(l, i->n, at.after);
}

/* ---- User-mode registers: B9.3.6, B9.3.17 ---- */

static uint64_t user_reg_get(struct nw_vcpu *vcpu, uint64_t n, uint64_t unused1, uint64_t unused2,
                             uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    return *arm_user_reg(arm_of(vcpu), (unsigned)n);
}

static uint64_t user_reg_put(struct nw_vcpu *vcpu, uint64_t n, uint64_t v, uint64_t unused1,
                             uint64_t unused2)
{
    (void)unused1, (void)unused2;
    *arm_user_reg(arm_of(vcpu), (unsigned)n) = (uint32_t)v;
    return 0;
}

static const struct ir_helper get_helper = {"user_reg_get", user_reg_get, IR_H_READS, IR_I32, 1};
static const struct ir_helper put_helper = {"user_reg_put", user_reg_put, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 2};

/* "if BitCount(registers) < 1 || n == 15" and User mode, where there is no other bank. */
static bool bad_user(struct arm_lift *l, const struct arm_insn *i, uint32_t list)
{
    if (l->priv && i->n != 15 && list)
        return false;
    arm_unpredictable(l);
    return true;
}

void arm_stm_user(struct arm_lift *l, const struct arm_insn *i)
{
    if (bad_user(l, i, i->list))
        return;
    struct block at = block_of(l, i, (unsigned)__builtin_popcount(i->list));
    for (unsigned n = 0; n < 16; n++) {
        if (!(i->list >> n & 1))
            continue;
        ir_val v = n < 8 || n == 15
                       ? arm_reg_get(l, n)
                       : arm_call(l, &get_helper, arm_const(l, n), IR_NONE, IR_NONE, IR_NONE);
        store_next(l, &at, v);
    }
}

void arm_ldm_user(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val values[16];

    if (bad_user(l, i, i->list))
        return;
    struct block at = block_of(l, i, (unsigned)__builtin_popcount(i->list));
    for (unsigned n = 0; n < 15; n++) {
        if (i->list >> n & 1)
            values[n] = load_next(l, &at);
    }
    for (unsigned n = 0; n < 15; n++) {
        if (!(i->list >> n & 1))
            continue;
        if (n < 8)
            arm_reg_put(l, n, values[n]);
        else
            arm_call(l, &put_helper, arm_const(l, n), values[n], IR_NONE, IR_NONE);
    }
}

/* LDM (exception return): B9.3.5 */
void arm_ldm_eret(struct arm_lift *l, const struct arm_insn *i)
{
    ir_val values[16];
    uint32_t list = i->list | 0x8000u;

    if (bad_user(l, i, list))
        return;
    if (i->W && list >> i->n & 1) { /* B9.3.5: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    struct block at = block_of(l, i, (unsigned)__builtin_popcount(list));
    for (unsigned n = 0; n < 16; n++) {
        if (list >> n & 1)
            values[n] = load_next(l, &at);
    }
    if (i->W)
        arm_reg_put(l, i->n, at.after);
    for (unsigned n = 0; n < 15; n++) {
        if (list >> n & 1)
            arm_reg_put(l, n, values[n]);
    }
    arm_exception_return(l, values[15]);
}

/* ---- SRS and RFE: B9.3.16, B9.3.13 ---- */

static uint64_t mode_sp_get(struct nw_vcpu *vcpu, uint64_t mode, uint64_t unused1, uint64_t unused2,
                            uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    return *arm_mode_sp(arm_of(vcpu), (uint32_t)mode);
}

static uint64_t mode_sp_put(struct nw_vcpu *vcpu, uint64_t mode, uint64_t v, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    *arm_mode_sp(arm_of(vcpu), (uint32_t)mode) = (uint32_t)v;
    return 0;
}

static uint64_t spsr_get(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2, uint64_t unused3,
                         uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    struct arm_state *s = arm_of(vcpu);

    return s->spsr[arm_bank_of(s->control)];
}

/* SRS: lr and SPSR onto the stack of mode k. */
void arm_srs(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper get_sp = {"mode_sp_get", mode_sp_get, IR_H_READS, IR_I32, 1};
    static const struct ir_helper put_sp = {"mode_sp_put", mode_sp_put, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 2};
    static const struct ir_helper get_spsr = {"spsr_get", spsr_get, IR_H_READS, IR_I32, 0};
    ir_val mode = arm_const(l, i->mask);

    if (!l->priv || !arm_mode_valid(i->mask)) { /* B9.3.16: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val base = arm_call(l, &get_sp, mode, IR_NONE, IR_NONE, IR_NONE);
    ir_val spsr = arm_call(l, &get_spsr, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    struct block at = {base, start_offset(i, 2), arm_offset(l, base, i->U, arm_const(l, 8)),
                       ARM_ALIGNED};
    store_next(l, &at, arm_reg_get(l, 14));
    store_next(l, &at, spsr);
    if (i->W)
        arm_call(l, &put_sp, mode, at.after, IR_NONE, IR_NONE);
}

static uint64_t return_from(struct nw_vcpu *vcpu, uint64_t pc, uint64_t cpsr, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct arm_state *s = arm_of(vcpu);

    arm_cpsr_write_by_insn(s, (uint32_t)cpsr, UINT32_MAX);
    s->r[15] = (uint32_t)pc & (s->thumb ? ~1u : ~3u);
    return 0;
}

void arm_rfe(struct arm_lift *l, const struct arm_insn *i)
{
    static const struct ir_helper helper = {"rfe", return_from, IR_H_READS | IR_H_WRITES, IR_VOID,
                                            2};

    if (!l->priv || i->n == 15) { /* B9.3.13: UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    struct block at = block_of(l, i, 2);
    ir_val pc = load_next(l, &at);
    ir_val cpsr = load_next(l, &at);
    if (i->W)
        arm_reg_put(l, i->n, at.after);
    arm_call(l, &helper, pc, cpsr, IR_NONE, IR_NONE);
    ir_exit_state(l->b);
    l->left = true;
}
