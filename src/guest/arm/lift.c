/* The loop that lifts a superblock, and the calls through which instructions leave it.
 *
 * A block continues past forward conditional branches and past conditional instructions that
 * leave; it ends at unconditional branches, at backward ones, at exceptions, at instructions that
 * change the mode, and at max_insns. */
#include "guest/arm/lift.h"

#include <string.h>

#include "guest/arm/front.h"
#include "guest/arm/lift_m.h"
#include "guest/arm/thumb.h"
#include "mem/mem.h"

/* ---- leaving ---- */

/* The slot may hold another one. */
void arm_sync_it(struct arm_lift *l)
{
    if (!l->it_next && !l->it_slot_stale)
        return;
    ir_put(l->b, IR_I32, ARM_OFF(itstate), arm_const(l, l->it_next));
    l->it_slot_stale = l->it_next != 0 || (l->it_slot_stale && l->skip_open);
}

static uint32_t exit_mode(const struct arm_lift *l)
{
    return l->mode | ARM_KEY_IT(l->it_next);
}

void arm_exception(struct arm_lift *l, uint32_t kind, uint32_t payload, bool after)
{
    uint32_t label = 0;

    if (l->select) { /* a row whose results are selected has no skip around it */
        label = ir_label_new(l->b);
        ir_skip_ifnot(l->b, l->cond_value, label);
    }
    if (after)
        arm_sync_it(l);
    ir_exit_exc(l->b, kind, payload, after ? l->i->size : 0);
    if (l->select)
        ir_label(l->b, label);
    l->left = true;
}

void arm_undefined(struct arm_lift *l)
{
    arm_exception(l, EXC_UNDEFINED, ARM_UNDEFINED_ENCODING, false);
}

void arm_unpredictable(struct arm_lift *l)
{
    arm_exception(l, EXC_UNDEFINED, ARM_UNDEFINED_UNPREDICTABLE, false);
}

void arm_leave_state(struct arm_lift *l)
{
    arm_sync_it(l);
    ir_put(l->b, IR_I32, ARM_OFF(r[15]), arm_const(l, arm_next_pc(l)));
    ir_exit_state(l->b);
    l->left = true;
}

void arm_branch_if(struct arm_lift *l, ir_val truth, uint32_t target)
{
    uint64_t known;

    target &= l->thumb ? ~1u : ~3u;
    bool is_known = ir_is_const(l->b, truth, &known);
    if (is_known && !known)
        return;
    arm_sync_it(l);
    ir_exit_if(l->b, truth, target, exit_mode(l));
    l->left = is_known;
    if (target <= l->pc || l->req->basic)
        l->ended = true;
}

void arm_branch_to(struct arm_lift *l, uint32_t target)
{
    if (l->select) {
        arm_branch_if(l, l->cond_value, target);
        return;
    }
    arm_sync_it(l);
    ir_exit(l->b, target & (l->thumb ? ~1u : ~3u), exit_mode(l));
    l->left = true;
}

void arm_branch_exchange_to(struct arm_lift *l, uint32_t target, bool thumb)
{
    bool halfword = thumb || arm_has(l, ARM_F_M); /* M profile notices the state first */

    arm_sync_it(l);
    if (thumb != l->thumb)
        ir_put(l->b, IR_I32, ARM_OFF(thumb), arm_const(l, thumb));
    ir_exit(l->b, target & (halfword ? ~1u : ~3u), (exit_mode(l) & ~ARM_KEY_THUMB) | thumb);
    l->left = true;
}

void arm_branch_write_pc(struct arm_lift *l, ir_val v)
{
    uint64_t known;

    if (ir_is_const(l->b, v, &known)) {
        arm_branch_to(l, (uint32_t)known);
        return;
    }
    arm_sync_it(l);
    v = ir_and(l->b, IR_I32, v, arm_const(l, l->thumb ? ~1u : ~3u));
    ir_exit_ind(l->b, v, arm_const(l, exit_mode(l)));
    l->left = true;
}

void arm_bx_write_pc(struct arm_lift *l, ir_val v)
{
    uint64_t known;

    if (ir_is_const(l->b, v, &known)) {
        arm_branch_exchange_to(l, (uint32_t)known, known & 1);
        return;
    }
    arm_sync_it(l);
    /* Most branches stay in their instruction set: that path has a constant mode and writes no
     * state. Where bit 0 is known to be clear it need not be masked. Bit 1 of an A32 target is
     * UNPREDICTABLE (A2.3.2); the fetch from there faults. */
    uint32_t label = ir_label_new(l->b);
    ir_val bit = ir_and(l->b, IR_I32, v, arm_const(l, 1));
    ir_val even = ir_and(l->b, IR_I32, v, arm_const(l, ~1u));
    if (l->thumb)
        ir_skip_ifnot(l->b, bit, label);
    else
        ir_skip_if(l->b, bit, label);
    ir_exit_ind(l->b, l->thumb ? even : v, arm_const(l, exit_mode(l)));
    ir_label(l->b, label);
    ir_put(l->b, IR_I32, ARM_OFF(thumb), arm_const(l, !l->thumb));
    ir_exit_ind(l->b, l->thumb ? v : even, arm_const(l, exit_mode(l) ^ ARM_KEY_THUMB));
    l->left = true;
}

void arm_load_write_pc(struct arm_lift *l, ir_val v)
{
    if (arm_has(l, ARM_F_M))
        arm_m_return_write_pc(l, v);
    else if (arm_has(l, ARM_F_V5))
        arm_bx_write_pc(l, v);
    else
        arm_branch_write_pc(l, v);
}

void arm_alu_write_pc(struct arm_lift *l, ir_val v)
{
    if (!l->thumb && arm_has(l, ARM_F_V7))
        arm_bx_write_pc(l, v);
    else
        arm_branch_write_pc(l, v);
}

static uint64_t exception_return(struct nw_vcpu *vcpu, uint64_t target, uint64_t unused1,
                                 uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct arm_state *s = arm_of(vcpu);

    arm_cpsr_write_by_insn(s, s->spsr[arm_bank_of(s->control)], UINT32_MAX);
    s->r[15] = (uint32_t)target & (s->thumb ? ~1u : ~3u);
    return 0;
}

void arm_exception_return(struct arm_lift *l, ir_val v)
{
    static const struct ir_helper helper = {"exception_return", exception_return,
                                            IR_H_READS | IR_H_WRITES, IR_VOID, 1};
    if (!l->priv) { /* B9.3.20: no SPSR in User mode */
        arm_unpredictable(l);
        return;
    }
    arm_call(l, &helper, v, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_state(l->b);
    l->left = true;
}

ir_val arm_call(struct arm_lift *l, const struct ir_helper *helper, ir_val a0, ir_val a1, ir_val a2,
                ir_val a3)
{
    if (l->it && helper->flags & (IR_H_READS | IR_H_WRITES | IR_H_EXITS))
        l->it_slot_stale = true;
    return ir_call(l->b, helper, a0, a1, a2, a3);
}

/* ---- conditions ---- */

static void close_skip(struct arm_lift *l)
{
    if (l->skip_open)
        ir_label(l->b, l->skip_label);
    l->skip_open = false;
}

/* The condition of instruction I: its own, or that of the IT block. */
static unsigned condition(const struct arm_lift *l, const struct arm_insn *i)
{
    unsigned cond = i->cond; /* AL also where no row matched */

    if (l->it && !(i->row && i->row->flags & ARM_ROW_COND))
        cond = l->it >> 4;
    return cond < ARM_COND_AL ? cond : ARM_COND_AL;
}

/* Neighbours under one condition share a skip as long as no flag changes. */
static void open_condition(struct arm_lift *l, const struct arm_insn *i)
{
    unsigned cond = condition(l, i);

    if (l->skip_open && (l->hooked || cond != l->skip_cond || l->flags_changed))
        close_skip(l);
    ir_insn_start(l->b, l->pc, l->it);
    if (l->req->hooked) /* or its accesses are */
        l->it_slot_stale |= l->it != 0;
    if (l->hooked)
        lift_hooks(l->b, l->req);
    l->select = false;
    if (cond == ARM_COND_AL || l->skip_open)
        return;
    l->cond_value = arm_cond_test(l, cond);
    if (i->row && i->row->flags & ARM_ROW_SELECT && i->d != 15) {
        l->select = true;
        return;
    }
    l->skip_open = true;
    l->skip_cond = (uint8_t)cond;
    l->skip_label = ir_label_new(l->b);
    l->flags_changed = false;
    ir_skip_ifnot(l->b, l->cond_value, l->skip_label);
}

/* ---- fetching ---- */

static uint64_t fetch_fault(struct nw_vcpu *vcpu, uint64_t addr, uint64_t size, uint64_t unused1,
                            uint64_t unused2)
{
    (void)unused1, (void)unused2;
    if (addr & (size - 1))
        mem_raise(vcpu, addr, (uint32_t)size, NW_ACCESS_FETCH, NW_FAULT_ALIGN);
    else
        mem_raise_fetch(vcpu, addr, (uint32_t)size);
    return 0;
}

/* The fetch of the block's first instruction failed at ADDR. */
static void lift_fetch_fault(struct arm_lift *l, uint32_t addr)
{
    static const struct ir_helper helper = {"fetch_fault", fetch_fault,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    bool halfwords = l->thumb || arm_has(l, ARM_F_M);

    if (arm_has(l, ARM_F_M) && !arm_m_fetches(l)) {
        arm_m_fetch_fault(l);
        return;
    }
    ir_insn_start(l->b, l->pc, l->it);
    ir_call(l->b, &helper, arm_const(l, addr), arm_const(l, halfwords ? 2 : 4), IR_NONE, IR_NONE);
    ir_exit_state(l->b);
}

static uint32_t ordered(const struct arm_lift *l, const uint8_t *p, unsigned size)
{
    if (l->mode & ARM_KEY_BIG_CODE)
        return size == 2 ? (uint32_t)(p[1] | p[0] << 8)
                         : p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
    return size == 2 ? (uint32_t)(p[0] | p[1] << 8)
                     : p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Fetches and decodes the instruction at l->pc. False: a fetch failed, at *BAD. */
static bool next_insn(struct arm_lift *l, struct arm_insn *i, uint32_t *bad)
{
    uint8_t bytes[4];

    *bad = l->pc;
    if (arm_has(l, ARM_F_M) && !arm_m_fetches(l))
        return false;
    if (!l->thumb && arm_has(l, ARM_F_M)) { /* a state it does not have: no instruction */
        *i = (struct arm_insn){.size = 4, .cond = ARM_COND_AL};
        return l->req->fetch(l->req, l->pc, bytes, 2);
    }
    if (!l->thumb) {
        if (l->pc & 3 || !l->req->fetch(l->req, l->pc, bytes, 4))
            return false;
        arm_decode(ARM_SET_A32, ordered(l, bytes, 4), l->features, i);
        return true;
    }
    if (!l->req->fetch(l->req, l->pc, bytes, 2))
        return false;
    uint32_t hw1 = ordered(l, bytes, 2);
    if (!arm_is_t32((uint16_t)hw1) || !(l->features & (ARM_F_V6T2 | ARM_F_M))) {
        arm_decode(ARM_SET_T16, hw1, l->features, i);
        return true;
    }
    *bad = l->pc + 2;
    if (!l->req->fetch(l->req, l->pc + 2, bytes, 2))
        return false;
    arm_decode(ARM_SET_T32, hw1 << 16 | ordered(l, bytes, 2), l->features, i);
    return true;
}

/* ---- the loop ---- */

static void lift_one(struct arm_lift *l, struct arm_insn *i)
{
    l->i = i;
    l->left = false;
    l->it_next = arm_it_advance(l->it);
    if (i->S == ARM_S_NOT_IT)
        i->S = !l->it;
    open_condition(l, i);
    if (!l->thumb && arm_has(l, ARM_F_M))
        arm_exception(l, EXC_UNDEFINED, ARM_UNDEFINED_STATE, false);
    else if (!i->row)
        arm_undefined(l);
    else if (i->should_be || (l->thumb && arm_thumb_unpredictable(l, i)))
        arm_unpredictable(l);
    else
        i->row->lift(l, i);
    if (l->left && (!l->skip_open || l->req->basic))
        l->ended = true;
    if (l->left)
        close_skip(l);
}

static void lift_setup(struct arm_lift *l, struct ir_builder *b, struct lift_request *req)
{
    memset(l, 0, sizeof *l);
    l->b = b;
    l->req = req;
    l->pc = (uint32_t)req->key.pc;
    l->features = arm_of(req->vcpu)->features;
    l->it = (uint8_t)(req->key.mode >> 8);
    l->mode = req->key.mode & ~ARM_KEY_IT(0xff);
    l->thumb = req->key.mode & ARM_KEY_THUMB;
    l->priv = req->key.mode & ARM_KEY_PRIV;
    l->it_slot_stale = l->it != 0;
    l->sel_flags = IR_NONE;
}

void arm_lift_block(struct ir_builder *b, struct lift_request *req)
{
    struct ir_region *region = ir_region_of(b);
    struct arm_lift l;
    struct arm_insn i;
    uint32_t bad = 0;

    lift_setup(&l, b, req);
    for (uint32_t n = 0; !l.ended; n++) {
        if (n == req->max_insns || !next_insn(&l, &i, &bad)) {
            if (n == 0) {
                lift_fetch_fault(&l, bad);
                return;
            }
            break;
        }
        enum lift_hooked hooked = lift_ask(req, l.pc, i.size, req->hooked ? arm_insn_id(i.row) : 0);
        if (hooked == LIFT_END)
            break;
        l.hooked = hooked == LIFT_CALL;
        lift_one(&l, &i);
        l.pc += i.size;
        l.it = l.it_next;
        region->ninsns = n + 1;
        region->size = l.pc - (uint32_t)req->key.pc;
    }
    region->falls = !l.ended;
    close_skip(&l);
    if (!ir_ended(b)) {
        l.it_next = l.it;
        arm_sync_it(&l);
        ir_exit(b, l.pc, exit_mode(&l));
    }
}
