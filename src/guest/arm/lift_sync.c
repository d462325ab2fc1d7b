/* Synchronisation, barriers and hints, ARM DDI 0406C A5.2.10, A5.2.11, A5.7.1.
 *
 * The exclusive monitor of a vCPU is the address, size and value of its last LDREX; STREX is a
 * compare-and-swap against that value. */
#include "guest/arm/lift.h"
#include "mem/core.h"
#include "mem/mem.h"

/* Exchanges atomically with respect to other vCPUs; a failed access leaves the block. */
static uint64_t swap_helper_fn(struct nw_vcpu *vcpu, uint64_t addr, uint64_t value, uint64_t memop,
                               uint64_t unused)
{
    (void)unused;
    uint64_t old, seen;

    if (vcpu->mem->hooked) /* which are to see one access of each kind */
        return mem_rmw(vcpu, addr, value, (uint32_t)memop, IR_atomic_xchg);
    seen = old = mem_load(vcpu, addr, (uint32_t)memop);

    /* A device is read once and written once; its next value need not be the same. */
    if (!vcpu->leave && mem_is_mmio(vcpu, addr, (uint32_t)memop)) {
        mem_store(vcpu, addr, value, (uint32_t)memop);
        return old;
    }
    while (!vcpu->leave) {
        seen = mem_cas(vcpu, addr, old, value, (uint32_t)memop);
        if (seen == old)
            break;
        old = seen;
    }
    return old;
}

/* SWP, SWPB: A8.8.229 */
static void swap(struct arm_lift *l, const struct arm_insn *i, unsigned size)
{
    static const struct ir_helper helper = {"swap", swap_helper_fn, IR_H_READS | IR_H_EXITS, IR_I32,
                                            3};
    bool rotates = size == 2 && !arm_has(l, ARM_F_V6) && !(l->mode & ARM_KEY_ALIGN);

    if (i->t == 15 || i->m == 15 || i->n == 15 || i->n == i->t ||
        i->n == i->m) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val addr = arm_place(l, arm_reg_get(l, i->n), size), m = arm_reg_get(l, i->m);
    ir_val place = rotates ? ir_and(l->b, IR_I32, addr, arm_const(l, ~3u)) : addr;
    if (size == 0)
        m = ir_ubfx(l->b, IR_I32, m, 0, 8);
    ir_val old =
        arm_call(l, &helper, place, m, arm_const(l, arm_memop(l, size, ARM_ALIGNED)), IR_NONE);
    if (rotates) /* DDI 0100I A4.1.108 */
        old = ir_ror(l->b, IR_I32, old, ir_shl(l->b, IR_I32, addr, arm_const(l, 3)));
    arm_reg_put(l, i->t, old);
}

ARM_LIFT(swp, swap(l, i, 2))
ARM_LIFT(swpb, swap(l, i, 0))

static unsigned second(const struct arm_lift *l, const struct arm_insn *i)
{
    return l->thumb ? i->t2 : i->t + 1u;
}

static ir_val exclusive_address(struct arm_lift *l, const struct arm_insn *i)
{
    return ir_add(l->b, IR_I32, arm_reg_get(l, i->n), arm_const(l, i->imm));
}

static void put64(struct arm_lift *l, uint32_t offset, ir_val v)
{
    ir_put(l->b, IR_I64, offset, v);
}

static void open_monitor(struct arm_lift *l, ir_val addr, unsigned size, ir_val v64)
{
    arm_state_put(l, ARM_OFF(excl_addr), addr);
    arm_state_put(l, ARM_OFF(excl_size), arm_const(l, 1u << size));
    put64(l, ARM_OFF(excl_value), v64);
}

/* LDREX, LDREXB, LDREXH: A8.8.75, A8.8.76, A8.8.78 */
static void load_exclusive(struct arm_lift *l, const struct arm_insn *i, unsigned size)
{
    if (arm_bad_reg(l, i->t) || i->n == 15) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val addr = exclusive_address(l, i);
    ir_val v = arm_load(l, addr, size, ARM_ALIGNED);
    open_monitor(l, addr, size, ir_zext(l->b, IR_I64, v));
    arm_reg_put(l, i->t, v);
}

ARM_LIFT(ldrex, load_exclusive(l, i, 2))
ARM_LIFT(ldrexb, load_exclusive(l, i, 0))
ARM_LIFT(ldrexh, load_exclusive(l, i, 1))

/* Rt is at the lower address whatever the byte order (A8.8.77). */
static ir_val join(struct arm_lift *l, ir_val t, ir_val t2)
{
    ir_val low = ir_zext(l->b, IR_I64, l->mode & ARM_KEY_BE ? t2 : t);
    ir_val high = ir_zext(l->b, IR_I64, l->mode & ARM_KEY_BE ? t : t2);

    return ir_or(l->b, IR_I64, ir_shl(l->b, IR_I64, high, arm_const(l, 32)), low);
}

/* LDREXD: A8.8.77 */
void arm_ldrexd(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned t2 = second(l, i);

    if (arm_bad_reg(l, i->t) || arm_bad_reg(l, t2) || i->n == 15 || i->t == t2 ||
        (!l->thumb && i->t & 1)) { /* UNPREDICTABLE */
        arm_unpredictable(l);
        return;
    }
    ir_val addr = exclusive_address(l, i);
    ir_val v = ir_ld(l->b, IR_I64, addr, arm_memop(l, 3, ARM_ALIGNED));
    ir_val low = ir_trunc(l->b, IR_I32, v);
    ir_val high = ir_trunc(l->b, IR_I32, ir_shr(l->b, IR_I64, v, arm_const(l, 32)));
    open_monitor(l, addr, 3, v);
    arm_reg_put(l, i->t, l->mode & ARM_KEY_BE ? high : low);
    arm_reg_put(l, t2, l->mode & ARM_KEY_BE ? low : high);
}

/* The address is checked for alignment also when the monitor is not open (ExclusiveMonitorsPass,
 * A2.9); whether it is translated then is up to the CPU, and we do not. */
static uint64_t check_alignment(struct nw_vcpu *vcpu, uint64_t addr, uint64_t size,
                                uint64_t unused1, uint64_t unused2)
{
    (void)unused1, (void)unused2;
    if (addr & (size - 1))
        mem_raise(vcpu, addr, (uint32_t)size, NW_ACCESS_WRITE, NW_FAULT_ALIGN);
    return 0;
}

static const struct ir_helper check_helper = {"check_alignment", check_alignment,
                                              IR_H_READS | IR_H_EXITS, IR_VOID, 2};

/* The common part of the stores; V has the type of the access: I64 for doublewords, else I32. */
static void store_exclusive(struct arm_lift *l, const struct arm_insn *i, unsigned size, ir_val v)
{
    struct ir_builder *b = l->b;
    enum ir_type type = size == 3 ? IR_I64 : IR_I32;
    uint32_t fail = ir_label_new(b), done = ir_label_new(b);
    ir_val addr = exclusive_address(l, i);
    ir_val same_addr = ir_cmp(b, IR_EQ, IR_I32, arm_state_get(l, ARM_OFF(excl_addr)), addr);
    ir_val same_size =
        ir_cmp(b, IR_EQ, IR_I32, arm_state_get(l, ARM_OFF(excl_size)), arm_const(l, 1u << size));
    ir_val open = ir_and(b, IR_I32, same_addr, same_size);

    ir_skip_ifnot(b, open, fail);
    ir_val expected = ir_get(b, IR_I64, ARM_OFF(excl_value));
    if (size < 3)
        expected = ir_trunc(b, IR_I32, expected);
    ir_val old =
        ir_cas(b, type, arm_place(l, addr, size), expected, v, arm_memop(l, size, ARM_ALIGNED));
    arm_reg_put(l, i->d, ir_cmp(b, IR_NE, type, old, expected));
    ir_label(b, fail);
    ir_skip_if(b, open, done);
    if (size)
        arm_call(l, &check_helper, addr, arm_const(l, 1u << size), IR_NONE, IR_NONE);
    arm_reg_put(l, i->d, arm_const(l, 1));
    ir_label(b, done);
    arm_state_put(l, ARM_OFF(excl_size), arm_const(l, 0));
}

/* "if d == n || d == t then UNPREDICTABLE" and the forbidden registers (A8.8.212 to A8.8.215). */
static bool bad_store(struct arm_lift *l, const struct arm_insn *i)
{
    return arm_bad_reg(l, i->d) || arm_bad_reg(l, i->t) || i->n == 15 || i->d == i->n ||
           i->d == i->t;
}

static void store_one(struct arm_lift *l, const struct arm_insn *i, unsigned size)
{
    if (bad_store(l, i)) {
        arm_unpredictable(l);
        return;
    }
    ir_val v = arm_reg_get(l, i->t);
    store_exclusive(l, i, size, size < 2 ? ir_ubfx(l->b, IR_I32, v, 0, 8u << size) : v);
}

ARM_LIFT(strex, store_one(l, i, 2))
ARM_LIFT(strexb, store_one(l, i, 0))
ARM_LIFT(strexh, store_one(l, i, 1))

/* STREXD: A8.8.214 */
void arm_strexd(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned t2 = second(l, i);

    if (bad_store(l, i) || arm_bad_reg(l, t2) || i->d == t2 || (!l->thumb && i->t & 1)) {
        arm_unpredictable(l);
        return;
    }
    store_exclusive(l, i, 3, join(l, arm_reg_get(l, i->t), arm_reg_get(l, t2)));
}

/* CLREX: A8.8.32 */
void arm_clrex(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    arm_state_put(l, ARM_OFF(excl_size), arm_const(l, 0));
}

/* DMB, DSB: A8.8.43, A8.8.44. The narrower options are treated as full system barriers. */
static void barrier(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    ir_fence(l->b);
}

ARM_LIFT(dmb, barrier(l, i))
ARM_LIFT(dsb, barrier(l, i))

/* ISB: A8.8.53. Stores into code are seen anyway; later instructions are looked up afresh. */
void arm_isb(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    arm_leave_state(l);
}

/* Hints without effect here. Preloads never fault (A8.8.126 to A8.8.130). */
static void hint(struct arm_lift *l, const struct arm_insn *i)
{
    (void)l, (void)i;
}

ARM_LIFT(nop, hint(l, i))
ARM_LIFT(yield, hint(l, i))
ARM_LIFT(sev, hint(l, i))
ARM_LIFT(dbg, hint(l, i))
ARM_LIFT(wfe, hint(l, i))
ARM_LIFT(pld_imm, hint(l, i))
ARM_LIFT(pld_reg, hint(l, i))
ARM_LIFT(pldw_imm, hint(l, i))
ARM_LIFT(pldw_reg, hint(l, i))
ARM_LIFT(pli_imm, hint(l, i))
ARM_LIFT(pli_reg, hint(l, i))

/* WFI: A8.8.425. User mode may not stop the machine's idle loop: there it is a hint only. M profile
 * has no such rule. */
void arm_wfi(struct arm_lift *l, const struct arm_insn *i)
{
    (void)i;
    if (l->priv || arm_has(l, ARM_F_M))
        arm_exception(l, EXC_HALT, 0, true);
}
