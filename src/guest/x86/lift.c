/* The loop that lifts a superblock, and the calls through which instructions leave it.
 *
 * A block continues past forward conditional branches; it ends at unconditional branches, at
 * backward ones, at exceptions, at instructions that change the mode, and at max_insns. */
#include "guest/x86/lift.h"

#include <string.h>
#include "guest/x86/debug.h"
#include "guest/x86/front.h"
#include "guest/x86/sysmem.h"
#include "mem/mem.h"

/* ---- leaving ---- */

void x86_exception(struct x86_lift *l, enum x86_vector vector, uint32_t error, bool after)
{
    ir_exit_exc(l->b, EXC_GUEST + vector, error, after ? l->i->z.length : 0);
    l->ended = true;
}

void x86_undefined(struct x86_lift *l)
{
    x86_exception(l, X86_UD, 0, false);
}

void x86_gp0(struct x86_lift *l)
{
    x86_exception(l, X86_GP, 0, false);
}

void x86_exception_if(struct x86_lift *l, ir_val truth, enum x86_vector vector, uint32_t error)
{
    uint32_t label = ir_label_new(l->b);
    bool ended = l->ended;

    ir_skip_ifnot(l->b, truth, label);
    x86_exception(l, vector, error, false);
    ir_label(l->b, label);
    l->ended = ended;
}

void x86_raise(struct nw_vcpu *vcpu, enum x86_vector vector, uint32_t error)
{
    vcpu_raise(vcpu, (enum vcpu_exc_kind)(EXC_GUEST + vector), error);
}

static ir_val word_const(struct x86_lift *l, uint64_t v)
{
    return l->word == IR_I64 ? ir_const64(l->b, v) : ir_const32(l->b, (uint32_t)v);
}

void x86_leave_state(struct x86_lift *l)
{
    ir_put(l->b, l->word, X86_OFF(pc), word_const(l, l->next));
    x86_leave_to_state(l);
}

void x86_leave_to_state(struct x86_lift *l)
{
    ir_exit_state(l->b);
    l->ended = true;
}

void x86_again_if(struct x86_lift *l, ir_val truth)
{
    uint32_t again = l->mode & ~(uint32_t)X86_KEY_INHIBIT;
    if (l->mode & X86_KEY_RF) { /* stays until the last repetition (SDM 3B 17.3.1.1) */
        ir_val eflags = ir_get(l->b, IR_I32, X86_OFF(eflags));
        ir_put(l->b, IR_I32, X86_OFF(eflags), ir_bfi(l->b, IR_I32, eflags, truth, 16, 1));
        ir_put(l->b, IR_I32, X86_OFF(mode),
               ir_select(l->b, IR_I32, truth, ir_const32(l->b, again),
                         ir_const32(l->b, again & ~(uint32_t)X86_KEY_RF)));
    }
    ir_exit_if(l->b, truth, l->pc, again);
    l->ended |= l->req->basic;
}

ir_val x86_call(struct x86_lift *l, const struct ir_helper *helper, ir_val a0, ir_val a1, ir_val a2,
                ir_val a3)
{
    ir_val v = ir_call(l->b, helper, a0, a1, a2, a3);
    if (helper->flags & IR_H_WRITES)
        x86_cc_forget(l);
    return v;
}

/* ---- branches ---- */

static bool flat_code(const struct x86_lift *l)
{
    return l->mode & X86_KEY_CS_FLAT;
}

static ir_val code_base(struct x86_lift *l)
{
    return ir_get(l->b, IR_I32, X86_OFF(seg[X86_CS].base));
}

static ir_val ip_of(struct x86_lift *l, uint64_t linear)
{
    if (l->bits == 64)
        return ir_const64(l->b, linear);
    ir_val ip = ir_const32(l->b, (uint32_t)linear);
    return flat_code(l) ? ip : ir_sub(l->b, IR_I32, ip, code_base(l));
}

ir_val x86_ip_next(struct x86_lift *l)
{
    return ip_of(l, l->next);
}

ir_val x86_ip_this(struct x86_lift *l)
{
    return ip_of(l, l->pc);
}

/* Bits of the mode word that hold for one instruction only. */
static uint32_t next_mode(const struct x86_lift *l)
{
    return l->mode & ~(uint32_t)(X86_KEY_INHIBIT | X86_KEY_RF);
}

static void check_code_limit(struct x86_lift *l, ir_val offset)
{
    if (l->bare)
        return;
    ir_val limit = ir_get(l->b, IR_I32, X86_OFF(seg[X86_CS].limit));
    x86_exception_if(l, ir_cmp(l->b, IR_UGT, IR_I32, offset, limit), X86_GP, 0);
}

/* In 64-bit code AMD's processors have 16-bit near branches, Intel's ignore the prefix (SDM 2, JMP;
 * APM 3 1.2.3). Zydis tells of some only. */
unsigned x86_branch_bits(const struct x86_lift *l)
{
    if (l->bits == 64 && l->model->vendor == X86_VENDOR_AMD &&
        l->i->z.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE && !l->i->z.raw.rex.W)
        return 16;
    return l->i->z.operand_width;
}

static ir_val cut_offset(struct x86_lift *l, ir_val offset)
{
    if (l->bits != 64)
        return x86_cut(l, offset, x86_branch_bits(l));
    unsigned bits = x86_branch_bits(l);
    return bits < 64 ? x86_zext(l, x86_zext(l, offset, 64, bits), bits, 64) : offset;
}

static uint64_t rel(const struct x86_lift *l)
{
    return l->i->op[0].imm.value.u;
}

static ir_val offset_target(struct x86_lift *l)
{
    ir_val offset = ir_add(l->b, IR_I32, x86_ip_next(l), ir_const32(l->b, (uint32_t)rel(l)));
    return cut_offset(l, offset);
}

/* A target that is not canonical faults at the branch (SDM 2, JMP). */
static void check_canonical(struct x86_lift *l, ir_val offset)
{
    struct ir_builder *b = l->b;
    uint64_t known;
    if (l->bare || (ir_is_const(b, offset, &known) && x86_canonical(known)))
        return;
    ir_val back = ir_sbfx(b, IR_I64, offset, 0, 48);
    x86_exception_if(l, ir_cmp(b, IR_NE, IR_I64, offset, back), X86_GP, 0);
}

void x86_branch_check(struct x86_lift *l, ir_val offset, ir_val truth)
{
    if (l->bits == 64 && offset != IR_NONE)
        check_canonical(l, cut_offset(l, offset));
    if (flat_code(l))
        return;
    uint32_t label = ir_label_new(l->b);
    if (truth != IR_NONE)
        ir_skip_ifnot(l->b, truth, label);
    check_code_limit(l, offset == IR_NONE ? offset_target(l) : cut_offset(l, offset));
    ir_label(l->b, label);
}

/* Leaves to OFFSET, which is cut already. */
static void exit_to_offset(struct x86_lift *l, ir_val offset)
{
    if (!flat_code(l)) {
        check_code_limit(l, offset);
        offset = ir_add(l->b, IR_I32, offset, code_base(l));
    }
    if (l->word == IR_I64 && l->bits != 64)
        offset = ir_zext(l->b, IR_I64, offset);
    ir_exit_ind(l->b, offset, ir_const32(l->b, next_mode(l)));
}

void x86_branch(struct x86_lift *l, ir_val offset)
{
    uint64_t known;

    offset = cut_offset(l, offset);
    if (flat_code(l) && ir_is_const(l->b, offset, &known))
        ir_exit(l->b, known, next_mode(l));
    else
        exit_to_offset(l, offset);
    l->ended = true;
}

/* Target in a flat code segment. */
static uint64_t flat_target(const struct x86_lift *l)
{
    uint64_t target = l->next + rel(l);
    unsigned bits = x86_branch_bits(l);
    return bits < 64 ? target & ((1ull << bits) - 1) : target;
}

void x86_branch_rel(struct x86_lift *l)
{
    if (flat_code(l))
        ir_exit(l->b, flat_target(l), next_mode(l));
    else
        exit_to_offset(l, offset_target(l));
    l->ended = true;
}

void x86_branch_rel_if(struct x86_lift *l, ir_val truth)
{
    if (!flat_code(l)) {
        uint32_t label = ir_label_new(l->b);
        ir_skip_ifnot(l->b, truth, label);
        exit_to_offset(l, offset_target(l));
        ir_label(l->b, label);
        l->ended |= l->req->basic;
        return;
    }
    uint64_t known, target = flat_target(l);
    if (ir_is_const(l->b, truth, &known) && !known)
        return;
    ir_exit_if(l->b, truth, target, next_mode(l));
    if (target <= l->pc || l->req->basic)
        l->ended = true;
}

/* ---- fetching ---- */

static uint64_t fetch_fault(struct nw_vcpu *vcpu, uint64_t addr, uint64_t unused1, uint64_t unused2,
                            uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    mem_raise_fetch(vcpu, addr, 1);
    return 0;
}

/* The fetch of the block's first instruction failed at ADDR. */
static void lift_fetch_fault(struct x86_lift *l, uint64_t addr)
{
    static const struct ir_helper helper = {"x86_fetch_fault", fetch_fault,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 1};
    ir_insn_start(l->b, l->pc, 0);
    ir_call(l->b, &helper, word_const(l, addr), IR_NONE, IR_NONE, IR_NONE);
    ir_exit_state(l->b);
}

/* Fetches and decodes the instruction at l->pc, *SIZE bytes decide what it is. False: a fetch
 * failed, at *BAD. */
static bool next_insn(struct x86_lift *l, struct x86_insn *i, enum x86_decode_status *status,
                      unsigned *size, uint64_t *bad)
{
    uint8_t bytes[X86_MAX_INSN];
    unsigned on_page = (unsigned)(PAGE_SIZE_ - (l->pc & (PAGE_SIZE_ - 1)));
    unsigned first = on_page < X86_MAX_INSN ? on_page : X86_MAX_INSN;

    *bad = l->pc;
    if (!l->req->fetch(l->req, l->pc, bytes, first))
        return false;
    *status = x86_decode(&l->decoder, l->model, bytes, first, i);
    *size = *status == X86_DECODED ? i->z.length : first;
    if (*status != X86_DECODE_SHORT)
        return true;
    *bad = l->pc + first;
    if (l->bits != 64)
        *bad = (uint32_t)*bad;
    if (!l->req->fetch(l->req, *bad, bytes + first, X86_MAX_INSN - first))
        return false;
    *status = x86_decode(&l->decoder, l->model, bytes, X86_MAX_INSN, i);
    *size = *status == X86_DECODED ? i->z.length : X86_MAX_INSN;
    return true;
}

/* ---- the loop ---- */

/* INHIBIT and RF end with the instruction. */
static void end_one_insn_modes(struct x86_lift *l)
{
    struct ir_builder *b = l->b;
    ir_val eflags = ir_get(b, IR_I32, X86_OFF(eflags));
    ir_put(b, IR_I32, X86_OFF(eflags), ir_and(b, IR_I32, eflags, ir_const32(b, ~(uint32_t)X86_RF)));
    ir_put(b, IR_I32, X86_OFF(inhibit), ir_const32(b, 0));
    ir_put(b, IR_I32, X86_OFF(mode), ir_const32(b, next_mode(l)));
}

/* Running past the segment's end is #GP(0) at the first instruction that does not fit in it. */
static void check_fetch(struct x86_lift *l, unsigned length)
{
    static const struct ir_helper breakpoint = {"x86_debug_fetch", x86_debug_fetch,
                                                IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 1};
    if (l->mode & X86_KEY_BREAK)
        x86_call(l, &breakpoint, ir_const32(l->b, !(l->mode & X86_KEY_RF)), IR_NONE, IR_NONE,
                 IR_NONE);
    if (!flat_code(l))
        check_code_limit(l, ir_add(l->b, IR_I32, x86_ip_this(l), ir_const32(l->b, length - 1)));
}

static void lift_one(struct x86_lift *l, const struct x86_insn *i, enum x86_decode_status status)
{
    unsigned size = (unsigned)(uint32_t)(l->next - l->pc);

    ir_insn_start(l->b, l->pc, 0);
    if (l->hooked) {
        lift_hooks(l->b, l->req);
    }
    l->i = i;
    l->shadow = false;
    check_fetch(l, size);
    if (l->mode & (X86_KEY_INHIBIT | X86_KEY_RF))
        end_one_insn_modes(l);
    switch (status) {
    case X86_DECODED: i->row->lift(l, i); break;
    case X86_DECODE_LONG: x86_gp0(l); break;
    default: x86_undefined(l); break;
    }
}

static void lift_setup(struct x86_lift *l, struct ir_builder *b, struct lift_request *req)
{
    uint32_t mode = req->key.mode;

    memset(l, 0, sizeof *l);
    l->b = b;
    l->req = req;
    l->pc = req->key.pc;
    l->model = x86_of(req->vcpu)->model;
    l->mode = mode;
    l->bits = mode & X86_KEY_CODE64 ? 64 : mode & X86_KEY_CODE32 ? 32 : 16;
    l->cpl = mode >> 5 & 3;
    l->word = req->vcpu->guest->addr_type;
    l->user = x86_is_user(req->vcpu);
    l->bare = x86_is_bare(req->vcpu);
    l->mmu = IR_MEM_MMU(x86_mmu_of(mode));
    x86_cc_forget(l);
    x86_decoder_init(&l->decoder, l->bits, !(mode & X86_KEY_PROT) || mode & X86_KEY_VM86, l->model);
}

/* Instructions that a block may have under its mode. */
static uint32_t most_insns(const struct x86_lift *l)
{
    return l->mode & X86_STEP_MODES ? 1 : l->req->max_insns;
}

void x86_lift_block(struct ir_builder *b, struct lift_request *req)
{
    struct ir_region *region = ir_region_of(b);
    struct x86_lift l;
    struct x86_insn i;
    enum x86_decode_status status;
    unsigned size;
    uint64_t bad = 0;

    lift_setup(&l, b, req);
    for (uint32_t n = 0; !l.ended; n++) {
        if (n == most_insns(&l) || !next_insn(&l, &i, &status, &size, &bad)) {
            if (n == 0) {
                lift_fetch_fault(&l, bad);
                return;
            }
            break;
        }
        /* What is no instruction has no length, but a change of any of its bytes may make it one.
         */
        l.next = l.pc + (status == X86_DECODED ? size : 1);
        if (l.bits != 64)
            l.next = (uint32_t)l.next;
        enum lift_hooked hooked = lift_ask(req, l.pc, (uint32_t)(l.next - l.pc),
                                           status == X86_DECODED ? i.z.mnemonic : 0);
        if (hooked == LIFT_END)
            break;
        l.hooked = hooked == LIFT_CALL;
        lift_one(&l, &i, status);
        region->ninsns = n + 1;
        region->size += size;
        l.pc = l.next;
    }
    region->falls = !l.ended;
    if (ir_ended(b))
        return;
    if (l.shadow)
        x86_leave_in_shadow(&l);
    else
        ir_exit(b, l.pc, next_mode(&l));
}
