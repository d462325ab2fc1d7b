/* The IR interpreter. Pure operations are those of eval.h, which the builder folds with. */
#include "ir/interp.h"

#include <string.h>
#include "exec/vcpu.h"
#include "ir/eval.h"
#include "ir/shape.h"
#include "mem/mem.h"

struct run {
    struct nw_vcpu *vcpu;
    const struct ir_region *region;
    union ir_vec *slots;
    const struct ir_insn *insn; /* the guest instruction's record, null before the first */
};

static uint64_t slot(const struct run *r, ir_val v)
{
    return r->slots[v].u64[0];
}

static uint64_t read_state(const struct run *r, uint32_t offset, unsigned size)
{
    uint64_t bits = 0;
    memcpy(&bits, (const uint8_t *)r->vcpu + offset, size);
    return bits;
}

static void write_state(struct run *r, uint32_t offset, unsigned size, uint64_t bits)
{
    memcpy((uint8_t *)r->vcpu + offset, &bits, size);
}

static void get_state(const struct run *r, const struct ir_insn *i, union ir_vec *d)
{
    d->u64[0] = 0;
    memcpy(d, (const uint8_t *)r->vcpu + i->a, ir_type_size(i->type));
}

static void put_state(struct run *r, const struct ir_insn *i, const union ir_vec *value)
{
    memcpy((uint8_t *)r->vcpu + i->b, value, ir_type_size(i->type));
}

static void write_pc(struct run *r, uint64_t pc)
{
    write_state(r, r->region->pc_offset, ir_type_size(r->region->addr_type), pc);
}

static void write_aux(struct run *r, uint32_t aux)
{
    if (r->region->aux_offset != UINT32_MAX)
        write_state(r, r->region->aux_offset, 4, aux);
}

/* Makes pc and the aux word those of the current guest instruction. */
static void sync_insn(struct run *r)
{
    if (!r->insn)
        return;
    write_pc(r, ir_insn_pc(r->insn));
    write_aux(r, r->insn->a);
}

static uint64_t access_memory(struct run *r, const struct ir_insn *i)
{
    uint64_t addr = r->slots[i->a].u64[0];
    const union ir_vec *b = &r->slots[i->b];
    switch (i->op) {
    case IR_ld: return mem_load(r->vcpu, addr, i->aux);
    case IR_st: mem_store(r->vcpu, addr, b->u64[0], i->aux); return 0;
    case IR_cas: return mem_cas(r->vcpu, addr, b->u64[0], r->slots[i->c].u64[0], i->aux);
    default: return mem_rmw(r->vcpu, addr, b->u64[0], i->aux, i->op);
    }
}

static void access_wide(struct run *r, const struct ir_insn *i, union ir_vec *d)
{
    uint64_t addr = slot(r, i->a);
    if (i->op == IR_ld)
        mem_load_wide(r->vcpu, addr, i->aux, d);
    else
        mem_store_wide(r->vcpu, addr, i->aux, &r->slots[i->b]);
}

/* A memory operation sees the exact pc and aux word, and leaves them in the state only when it
 * fails, as translated code does. */
static void run_memory(struct run *r, const struct ir_insn *i, union ir_vec *d)
{
    const struct ir_region *g = r->region;
    unsigned pc_size = ir_type_size(g->addr_type);
    uint64_t pc = read_state(r, g->pc_offset, pc_size), aux = 0;
    if (g->aux_offset != UINT32_MAX)
        aux = read_state(r, g->aux_offset, 4);
    sync_insn(r);
    if (ir_type_size(i->type) > 8)
        access_wide(r, i, d);
    else
        d->u64[0] = eval_cut(ir_type_size(i->type) == 8, access_memory(r, i));
    if (r->vcpu->leave == VCPU_LEAVE_NONE) {
        write_pc(r, pc);
        write_aux(r, (uint32_t)aux);
    }
}

static uint64_t run_call(struct run *r, const struct ir_insn *i)
{
    const struct ir_call *call = &r->region->calls.at[i->a];
    uint64_t args[4] = {0};
    for (unsigned n = 0; n < call->helper->nargs; n++)
        args[n] = r->slots[call->args[n]].u64[0];
    if (call->helper->flags & (IR_H_READS | IR_H_EXITS))
        sync_insn(r);
    uint64_t value = call->helper->fn(r->vcpu, args[0], args[1], args[2], args[3]);
    switch (ir_result_type(i)) {
    case IR_I32:
    case IR_F32: return (uint32_t)value;
    default: return value;
    }
}

static uint64_t run_fp32(struct fp_env *env, unsigned op, uint32_t a, uint32_t b, uint32_t c,
                         unsigned aux)
{
    switch (op) {
    case IR_fadd: return fp_add32(env, a, b);
    case IR_fsub: return fp_sub32(env, a, b);
    case IR_fmul: return fp_mul32(env, a, b);
    case IR_fdiv: return fp_div32(env, a, b);
    case IR_fsqrt: return fp_sqrt32(env, a);
    default: return fp_fmaneg32(env, a, b, c, aux);
    }
}

static uint64_t run_fp64(struct fp_env *env, unsigned op, uint64_t a, uint64_t b, uint64_t c,
                         unsigned aux)
{
    switch (op) {
    case IR_fadd: return fp_add64(env, a, b);
    case IR_fsub: return fp_sub64(env, a, b);
    case IR_fmul: return fp_mul64(env, a, b);
    case IR_fdiv: return fp_div64(env, a, b);
    case IR_fsqrt: return fp_sqrt64(env, a);
    default: return fp_fmaneg64(env, a, b, c, aux);
    }
}

static uint64_t run_to_int(struct run *r, const struct ir_insn *i, uint64_t a)
{
    unsigned bits = i->type == IR_I64 ? 64 : 32;
    bool from64 = ir_result_type(&r->region->insns.at[i->a]) == IR_F64,
         is_signed = i->op == IR_f2si;
    enum fp_round round = i->aux & 7;
    uint64_t value = from64 ? fp_toint64(&r->vcpu->fp, a, bits, is_signed, 0, round)
                            : fp_toint32(&r->vcpu->fp, (uint32_t)a, bits, is_signed, 0, round);
    return eval_cut(bits == 64, value);
}

static uint64_t run_from_int(struct run *r, const struct ir_insn *i, uint64_t a)
{
    bool is_signed = i->op == IR_si2f;
    if (is_signed && ir_result_type(&r->region->insns.at[i->a]) == IR_I32)
        a = (uint64_t)(int64_t)(int32_t)a;
    return i->type == IR_F64 ? fp_fromint64(&r->vcpu->fp, a, is_signed, 0, FP_CURRENT)
                             : fp_fromint32(&r->vcpu->fp, a, is_signed, 0, FP_CURRENT);
}

/* The operations of x86. */
static uint64_t run_fpx(struct fp_env *env, const struct ir_insn *i, uint64_t a, uint64_t b)
{
    bool wide = i->type == IR_F64;
    uint32_t x = (uint32_t)a, y = (uint32_t)b;
    switch (i->op) {
    case IR_fminx: return wide ? fp_minx64(env, a, b) : fp_minx32(env, x, y);
    case IR_fmaxx: return wide ? fp_maxx64(env, a, b) : fp_maxx32(env, x, y);
    case IR_fround: {
        enum fp_round round = i->aux & 7;
        bool quiet = i->aux & IR_FP_QUIET;
        return wide ? fp_round64(env, a, round, quiet) : fp_round32(env, x, round, quiet);
    }
    case IR_fcmpx:
        return wide ? fp_comi64(env, a, b, i->aux & 1) : fp_comi32(env, x, y, i->aux & 1);
    case IR_fcc: return wide ? fp_cc64(env, a, b, i->aux) : fp_cc32(env, x, y, i->aux);
    case IR_fcmpm:
        return wide ? fp_cmpm64(env, a, b, i->aux & 31) : fp_cmpm32(env, x, y, i->aux & 31);
    case IR_frcpx: return fp_rcpx32(x);
    default: return fp_rsqrtx32(x);
    }
}

static uint64_t run_fp(struct run *r, const struct ir_insn *i)
{
    struct fp_env *env = &r->vcpu->fp;
    unsigned values = ir_shapes[i->op].values;
    uint64_t a = slot(r, i->a);
    uint64_t b = values & 2 ? slot(r, i->b) : 0, c = values & 4 ? slot(r, i->c) : 0;
    bool twice = i->type == IR_F64;
    switch (i->op) {
    case IR_fcmp:
        return twice ? fp_cmp64(env, a, b, i->aux & 1)
                     : fp_cmp32(env, (uint32_t)a, (uint32_t)b, i->aux & 1);
    case IR_fminx:
    case IR_fmaxx:
    case IR_fround:
    case IR_fcmpx:
    case IR_fcc:
    case IR_fcmpm:
    case IR_frcpx:
    case IR_frsqrtx: return run_fpx(env, i, a, b);
    case IR_fcvt: return twice ? fp_32to64(env, (uint32_t)a) : fp_64to32(env, a);
    case IR_f2si:
    case IR_f2ui: return run_to_int(r, i, a);
    case IR_si2f:
    case IR_ui2f: return run_from_int(r, i, a);
    default:
        return twice ? run_fp64(env, i->op, a, b, c, i->aux & 3)
                     : run_fp32(env, i->op, (uint32_t)a, (uint32_t)b, (uint32_t)c, i->aux & 3);
    }
}

static uint64_t run_pure(const struct run *r, const struct ir_insn *i)
{
    unsigned values = ir_shapes[i->op].values;
    uint64_t b = values & 2 && i->b != IR_NONE ? slot(r, i->b) : 0;
    uint64_t c = values & 4 && i->c != IR_NONE ? slot(r, i->c) : 0;
    return ir_eval(i, slot(r, i->a), b, c);
}

/* The record that places LABEL, which is after AT. */
static uint32_t find_label(const struct ir_region *g, uint32_t at, uint32_t label)
{
    do
        at++;
    while (g->insns.at[at].op != IR_label || g->insns.at[at].a != label);
    return at;
}

static enum ir_leave leave_exception(struct run *r, const struct ir_insn *i)
{
    if (r->insn) {
        write_pc(r, ir_insn_pc(r->insn) + i->aux);
        if (i->aux == 0)
            write_aux(r, r->insn->a);
    }
    vcpu_raise(r->vcpu, (enum vcpu_exc_kind)i->a, i->b);
    return IR_LEFT_RAISED;
}

static enum ir_leave leave_to(struct run *r, uint64_t pc)
{
    write_pc(r, pc);
    return IR_LEFT_EXIT;
}

enum ir_leave ir_interp(struct nw_vcpu *vcpu, const struct ir_region *region, union ir_vec *slots)
{
    struct run r = {vcpu, region, slots, NULL};
    for (uint32_t at = 0;; at++) {
        const struct ir_insn *i = &region->insns.at[at];
        switch (i->op) {
        case IR_const: slots[at].u64[0] = ir_const_bits(i); break;
        case IR_get: get_state(&r, i, &slots[at]); break;
        case IR_put: put_state(&r, i, &slots[i->a]); break;
        case IR_insn: r.insn = i; break;
        case IR_drop: break;
        case IR_ld:
        case IR_st:
        case IR_cas:
        case IR_atomic_add:
        case IR_atomic_and:
        case IR_atomic_or:
        case IR_atomic_xor:
        case IR_atomic_xchg:
            run_memory(&r, i, &slots[at]);
            if (NW_UNLIKELY(vcpu->leave != VCPU_LEAVE_NONE))
                return IR_LEFT_RAISED;
            break;
        case IR_call:
            slots[at].u64[0] = run_call(&r, i);
            if (NW_UNLIKELY(vcpu->leave != VCPU_LEAVE_NONE))
                return IR_LEFT_RAISED;
            break;
        case IR_note: ir_note_run(vcpu, &region->notes.at[i->a]); break;
        case IR_fence: atomic_thread_fence(memory_order_seq_cst); break;
        case IR_label: break;
        case IR_skip_if:
        case IR_skip_ifnot:
            if ((slots[i->a].u64[0] != 0) == (i->op == IR_skip_if))
                at = find_label(region, at, i->b);
            break;
        case IR_exit_if:
            if (slots[i->a].u64[0])
                return leave_to(&r, region->exits.at[i->b].pc);
            break;
        case IR_leave_if:
            if (slots[i->a].u64[0])
                return leave_to(&r, region->pc);
            break;
        case IR_exit: return leave_to(&r, region->exits.at[i->a].pc);
        case IR_exit_ind: return leave_to(&r, slots[i->a].u64[0]);
        case IR_exit_exc: return leave_exception(&r, i);
        case IR_exit_state: return IR_LEFT_EXIT;
        default:
            if (ir_op_is_vec(i->op))
                vec_run(i, slots, &vcpu->fp, &slots[at]);
            else
                slots[at].u64[0] = ir_shapes[i->op].effects & (IR_E_FPFLAGS | IR_E_FPENV)
                                       ? run_fp(&r, i)
                                       : run_pure(&r, i);
            break;
        }
    }
}
