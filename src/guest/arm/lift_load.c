/* Loads and stores of one register or a pair, ARM DDI 0406C A5.2.8, A5.2.9, A5.3.
 *
 * Rows: n base, t (t2) data, m offset register with shift, imm offset, P index, U add, W write
 * back. The base is written after the last access, so that a fault finds the old one. */
#include "guest/arm/lift_m.h"

/* What an access does besides addressing. */
struct access {
    uint8_t size;  /* log2 */
    uint8_t flags; /* enum arm_access_flags */
    bool store;
};

static bool writes_back(const struct arm_insn *i)
{
    return !i->P || i->W;
}

/* UNPREDICTABLE register combinations of the single transfers (A8.8.62 ff., A8.8.203 ff.). */
static bool bad_single(struct arm_lift *l, const struct arm_insn *i, struct access a,
                       bool reg_offset)
{
    bool wback = writes_back(i);

    if (wback && (i->n == 15 || i->n == i->t))
        return true;
    /* The encodings of LDRHT and so on, on CPUs without them (DDI 0100I A5.3). */
    if (!l->thumb && !i->P && i->W && !(a.flags & ARM_USER))
        return true;
    if (i->t == 15 && (a.size != 2 || a.flags & ARM_USER))
        return true;
    if (i->t == 13 && l->thumb && a.size != 2)
        return true;
    if (i->n == 15 && a.store && l->thumb)
        return true;
    if (!reg_offset)
        return false;
    return arm_bad_reg(l, i->m) || (wback && i->n == i->m && !arm_has(l, ARM_F_V6));
}

static void transfer(struct arm_lift *l, const struct arm_insn *i, struct access a, ir_val offset,
                     bool reg_offset)
{
    if (bad_single(l, i, a, reg_offset)) {
        arm_unpredictable(l);
        return;
    }
    ir_val base = arm_reg_get_aligned(l, i->n);
    ir_val moved = arm_offset(l, base, i->U, offset);
    ir_val addr = i->P ? moved : base;
    ir_val v;
    if (writes_back(i))
        arm_m_check_stack(l, i->n, moved);
    if (a.store) { /* a stored pc is that of the instruction plus 8 */
        arm_store(l, addr, arm_reg_get(l, i->t), a.size, a.flags);
        if (writes_back(i))
            arm_reg_put(l, i->n, moved);
        return;
    }
    v = a.size == 2 ? arm_load_word(l, addr, a.flags) : arm_load(l, addr, a.size, a.flags);
    if (writes_back(i))
        arm_reg_put(l, i->n, moved);
    if (i->t == 15)
        arm_load_write_pc(l, v);
    else
        arm_reg_put(l, i->t, v);
}

static void transfer_imm(struct arm_lift *l, const struct arm_insn *i, struct access a)
{
    transfer(l, i, a, arm_const(l, i->imm), false);
}

static void transfer_reg(struct arm_lift *l, const struct arm_insn *i, struct access a)
{
    transfer(l, i, a, i->m == 15 ? IR_NONE : arm_shifted_m(l, NULL), true);
}

#define LOAD(size, flags)                                                                          \
    (struct access)                                                                                \
    {                                                                                              \
        size, flags, false                                                                         \
    }
#define STORE(size, flags)                                                                         \
    (struct access)                                                                                \
    {                                                                                              \
        size, flags, true                                                                          \
    }

/* A8.8.62 to A8.8.66, A8.8.203 to A8.8.205 */
ARM_LIFT(ldr_imm, transfer_imm(l, i, LOAD(2, 0)))
ARM_LIFT(ldr_reg, transfer_reg(l, i, LOAD(2, 0)))
ARM_LIFT(str_imm, transfer_imm(l, i, STORE(2, 0)))
ARM_LIFT(str_reg, transfer_reg(l, i, STORE(2, 0)))
/* A8.8.67 to A8.8.70, A8.8.206 to A8.8.208 */
ARM_LIFT(ldrb_imm, transfer_imm(l, i, LOAD(0, 0)))
ARM_LIFT(ldrb_reg, transfer_reg(l, i, LOAD(0, 0)))
ARM_LIFT(strb_imm, transfer_imm(l, i, STORE(0, 0)))
ARM_LIFT(strb_reg, transfer_reg(l, i, STORE(0, 0)))
/* A8.8.79 to A8.8.82, A8.8.216 to A8.8.218 */
ARM_LIFT(ldrh_imm, transfer_imm(l, i, LOAD(1, 0)))
ARM_LIFT(ldrh_reg, transfer_reg(l, i, LOAD(1, 0)))
ARM_LIFT(strh_imm, transfer_imm(l, i, STORE(1, 0)))
ARM_LIFT(strh_reg, transfer_reg(l, i, STORE(1, 0)))
/* A8.8.83 to A8.8.90 */
ARM_LIFT(ldrsb_imm, transfer_imm(l, i, LOAD(0, ARM_SIGNED)))
ARM_LIFT(ldrsb_reg, transfer_reg(l, i, LOAD(0, ARM_SIGNED)))
ARM_LIFT(ldrsh_imm, transfer_imm(l, i, LOAD(1, ARM_SIGNED)))
ARM_LIFT(ldrsh_reg, transfer_reg(l, i, LOAD(1, ARM_SIGNED)))
/* Unprivileged: A8.8.71, A8.8.83, A8.8.87, A8.8.91, A8.8.92, A8.8.209, A8.8.219, A8.8.220 */
ARM_LIFT(ldrt_imm, transfer_imm(l, i, LOAD(2, ARM_USER)))
ARM_LIFT(ldrt_reg, transfer_reg(l, i, LOAD(2, ARM_USER)))
ARM_LIFT(strt_imm, transfer_imm(l, i, STORE(2, ARM_USER)))
ARM_LIFT(strt_reg, transfer_reg(l, i, STORE(2, ARM_USER)))
ARM_LIFT(ldrbt_imm, transfer_imm(l, i, LOAD(0, ARM_USER)))
ARM_LIFT(ldrbt_reg, transfer_reg(l, i, LOAD(0, ARM_USER)))
ARM_LIFT(strbt_imm, transfer_imm(l, i, STORE(0, ARM_USER)))
ARM_LIFT(strbt_reg, transfer_reg(l, i, STORE(0, ARM_USER)))
ARM_LIFT(ldrht_imm, transfer_imm(l, i, LOAD(1, ARM_USER)))
ARM_LIFT(ldrht_reg, transfer_reg(l, i, LOAD(1, ARM_USER)))
ARM_LIFT(strht_imm, transfer_imm(l, i, STORE(1, ARM_USER)))
ARM_LIFT(strht_reg, transfer_reg(l, i, STORE(1, ARM_USER)))
ARM_LIFT(ldrsbt_imm, transfer_imm(l, i, LOAD(0, ARM_USER | ARM_SIGNED)))
ARM_LIFT(ldrsbt_reg, transfer_reg(l, i, LOAD(0, ARM_USER | ARM_SIGNED)))
ARM_LIFT(ldrsht_imm, transfer_imm(l, i, LOAD(1, ARM_USER | ARM_SIGNED)))
ARM_LIFT(ldrsht_reg, transfer_reg(l, i, LOAD(1, ARM_USER | ARM_SIGNED)))

/* ---- doublewords ---- */

/* A32 names Rt only: an even register and its neighbour. */
static unsigned second(const struct arm_lift *l, const struct arm_insn *i)
{
    return l->thumb ? i->t2 : i->t + 1u;
}

/* A8.8.72 to A8.8.74, A8.8.210, A8.8.211 */
static bool bad_double(struct arm_lift *l, const struct arm_insn *i, bool store, bool reg_offset)
{
    unsigned t2 = second(l, i);
    bool wback = writes_back(i);

    if (l->thumb)
        return (wback && (i->n == 15 || i->n == i->t || i->n == t2)) || arm_bad_reg(l, i->t) ||
               arm_bad_reg(l, t2) || (!store && i->t == t2) || (store && i->n == 15);
    if (i->t & 1 || t2 == 15 || (!i->P && i->W))
        return true;
    if (wback && (i->n == 15 || i->n == i->t || i->n == t2))
        return true;
    if (!reg_offset)
        return false;
    return i->m == 15 || (!store && (i->m == i->t || i->m == t2)) ||
           (wback && i->n == i->m && !arm_has(l, ARM_F_V6));
}

/* Two word accesses (A3.5.3); each must be word-aligned, before v6 the first doubleword-aligned. */
static void transfer_double(struct arm_lift *l, const struct arm_insn *i, bool store,
                            bool reg_offset)
{
    if (bad_double(l, i, store, reg_offset)) {
        arm_unpredictable(l);
        return;
    }
    ir_val base = arm_reg_get_aligned(l, i->n);
    ir_val offset = reg_offset ? arm_reg_get(l, i->m) : arm_const(l, i->imm);
    ir_val moved = arm_offset(l, base, i->U, offset);
    ir_val addr = i->P ? moved : base;
    ir_val next = ir_add(l->b, IR_I32, addr, arm_const(l, 4));
    unsigned t2 = second(l, i);
    if (writes_back(i))
        arm_m_check_stack(l, i->n, moved);
    if (store) {
        arm_store(l, addr, arm_reg_get(l, i->t), 2, ARM_ALIGNED);
        arm_store(l, next, arm_reg_get(l, t2), 2, ARM_AGAIN);
        if (writes_back(i))
            arm_reg_put(l, i->n, moved);
        return;
    }
    ir_val low = arm_load(l, addr, 2, ARM_ALIGNED);
    ir_val high = arm_load(l, next, 2, 0); /* as aligned as the first */
    if (writes_back(i))
        arm_reg_put(l, i->n, moved);
    arm_reg_put(l, i->t, low);
    arm_reg_put(l, t2, high);
}

ARM_LIFT(ldrd_imm, transfer_double(l, i, false, false))
ARM_LIFT(ldrd_reg, transfer_double(l, i, false, true))
ARM_LIFT(strd_imm, transfer_double(l, i, true, false))
ARM_LIFT(strd_reg, transfer_double(l, i, true, true))
