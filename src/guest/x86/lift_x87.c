/* x87 instructions. All but the control ones are told apart by their opcode, which the helpers
 * execute (x87_run.c). */
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"

enum { CR0_MP = 1 << 1, MAY_EXIT = IR_H_READS | IR_H_EXITS };

#define HELPER(fn, flags, ret, nargs)                                                              \
    static const struct ir_helper fn##_helper = {"x86_" #fn, fn, flags, ret, nargs}
HELPER(x87_run, MAY_EXIT, IR_I32, 4);
HELPER(x87_store, MAY_EXIT, IR_I64, 4);
HELPER(x87_store_high, 0, IR_I32, 0);
HELPER(x87_store_done, MAY_EXIT, IR_VOID, 2);
HELPER(x87_load_control, MAY_EXIT, IR_VOID, 2);
HELPER(x87_control, 0, IR_I32, 0);
HELPER(x87_status, 0, IR_I32, 0);
HELPER(x87_reset, 0, IR_VOID, 0);
HELPER(x87_clear, 0, IR_VOID, 0);
#undef HELPER

static ir_val call(struct x86_lift *l, const struct ir_helper *helper, ir_val a0, ir_val a1)
{
    return x86_call(l, helper, a0, a1, IR_NONE, IR_NONE);
}

static ir_val call0(struct x86_lift *l, const struct ir_helper *helper)
{
    return call(l, helper, IR_NONE, IR_NONE);
}

/* False: no x87 instruction works now, #NM. For those that do not wait for pending exceptions. */
static bool usable_nowait(struct x86_lift *l)
{
    x86_mmx_stale(l);
    if (!(l->mode & (X86_KEY_TS | X86_KEY_EM)))
        return true;
    x86_exception(l, X86_NM, 0, false);
    return false;
}

static bool usable(struct x86_lift *l)
{
    if (!usable_nowait(l))
        return false;
    if (l->mode & X86_KEY_MF)
        x86_exception(l, X86_MF, 0, false);
    return !(l->mode & X86_KEY_MF);
}

/* An exception that was pending is not any more. */
static void no_longer_pending(struct x86_lift *l)
{
    if (l->mode & X86_KEY_MF)
        x86_leave_state(l);
}

static bool has_memory(const struct x86_insn *i)
{
    return i->z.raw.modrm.mod != 3;
}

static ir_val what(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t second =
        (uint32_t)i->z.raw.modrm.mod << 6 | (uint32_t)i->z.raw.modrm.reg << 3 | i->z.raw.modrm.rm;
    uint32_t bits = (i->z.opcode & 7u) << 8 | second | (uint32_t)i->z.length << 16;
    if (has_memory(i))
        bits |= (uint32_t)(i->op[0].mem.segment - ZYDIS_REGISTER_ES) << 20 | X87_WHAT_MEMORY;
    return ir_const32(l->b, bits);
}

static ir_val wide(struct x86_lift *l, ir_val v, unsigned bits)
{
    return x86_zext(l, v, bits, 64);
}

static ir_val offset_of(struct x86_lift *l, const struct x86_insn *i)
{
    return wide(l, x86_effective(l, &i->op[0]), x86_addr_bits(l));
}

/* ---- instructions that compute ---- */

static void load_and_run(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size, low = bits == 80 ? 64 : bits;
    ir_val addr = x86_address(l, &i->op[0], false), high = ir_const64(l->b, 0);
    ir_val value = wide(l, x86_load(l, addr, low, 0), low);
    if (bits == 80)
        high = wide(l, x86_load(l, x86_address_add(l, addr, 8), 16, 0), 16);
    x86_call(l, &x87_run_helper, what(l, i), offset_of(l, i), value, high);
}

static ir_val run(struct x86_lift *l, const struct x86_insn *i, ir_val value)
{
    ir_val none = ir_const64(l->b, 0);
    return x86_call(l, &x87_run_helper, what(l, i), none, value, none);
}

void x86_x87(struct x86_lift *l, const struct x86_insn *i)
{
    if (!usable(l))
        return;
    if (has_memory(i))
        load_and_run(l, i);
    else
        run(l, i, ir_const64(l->b, 0));
}

void x86_x87_compare_flags(struct x86_lift *l, const struct x86_insn *i)
{
    if (usable(l))
        x86_cc_set_flags(l, run(l, i, ir_const64(l->b, 0)));
}

void x86_x87_move_if(struct x86_lift *l, const struct x86_insn *i)
{
    if (usable(l))
        run(l, i, wide(l, x86_cc_test(l, i->row->arg), 32));
}

/* ---- stores ---- */

/* Ten bytes; where a page ends between them, nothing is stored unless all can be. */
static void store80(struct x86_lift *l, ir_val addr, ir_val value, ir_val high)
{
    struct ir_builder *b = l->b;
    ir_val upper = x86_address_add(l, addr, 8), last = x86_address_add(l, addr, 9);
    ir_val mask = l->word == IR_I64 ? ir_const64(b, ~(PAGE_SIZE_ - 1))
                                    : ir_const32(b, (uint32_t) ~(PAGE_SIZE_ - 1));
    ir_val page = ir_and(b, l->word, last, mask);
    uint32_t label = ir_label_new(b);

    ir_skip_if(b, ir_cmp(b, IR_EQ, l->word, ir_and(b, l->word, addr, mask), page), label);
    x86_probe_write(l, addr, 8);
    x86_probe_write(l, page, 8);
    ir_label(b, label);
    x86_store(l, addr, value, 64, 0);
    x86_store(l, upper, high, 16, 0);
}

void x86_x87_store(struct x86_lift *l, const struct x86_insn *i)
{
    if (!has_memory(i)) {
        x86_x87(l, i);
        return;
    }
    if (!usable(l))
        return;
    unsigned bits = i->op[0].size;
    ir_val offset = offset_of(l, i), addr = x86_address(l, &i->op[0], true);
    ir_val memop = ir_const32(l->b, x86_memop(l, bits == 80 ? 64 : bits, X86_RMW));
    ir_val value = x86_call(l, &x87_store_helper, what(l, i), offset, addr, memop);
    if (bits == 80)
        store80(l, addr, value, call0(l, &x87_store_high_helper));
    else
        x86_store(l, addr, x86_zext(l, value, 64, bits), bits, 0);
    call(l, &x87_store_done_helper, what(l, i), offset);
}

/* ---- control ---- */

void x86_fwait(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (l->mode & X86_KEY_TS) {
        ir_val mp =
            ir_and(l->b, IR_I32, ir_get(l->b, IR_I32, X86_OFF(cr0)), ir_const32(l->b, CR0_MP));
        x86_exception_if(l, mp, X86_NM, 0);
    }
    if (l->mode & X86_KEY_MF)
        x86_exception(l, X86_MF, 0, false);
}

/* Of coprocessors long gone. */
void x86_x87_nop(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    usable_nowait(l);
}

void x86_fninit(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (!usable_nowait(l))
        return;
    call0(l, &x87_reset_helper);
    no_longer_pending(l);
}

void x86_fnclex(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (!usable_nowait(l))
        return;
    call0(l, &x87_clear_helper);
    no_longer_pending(l);
}

void x86_fldcw(struct x86_lift *l, const struct x86_insn *i)
{
    if (usable(l))
        call(l, &x87_load_control_helper, what(l, i), x86_read(l, 0));
}

void x86_fnstcw(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (usable_nowait(l))
        x86_write(l, 0, call0(l, &x87_control_helper));
}

void x86_fnstsw(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    if (usable_nowait(l))
        x86_write(l, 0, call0(l, &x87_status_helper));
}
