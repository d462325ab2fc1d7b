/* FXSAVE, XSAVE, MXCSR and the x87 environment: state that moves to and from memory. */
#include "guest/x86/lift.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/x87.h"
#include "guest/x86/xsave.h"

enum { SAVES = IR_H_READS | IR_H_EXITS, RESTORES = IR_H_READS | IR_H_WRITES | IR_H_EXITS };

/* ---- environment ---- */

/* x87 state is nothing that translated code holds copies of, but MMX registers are. LOADS wait for
 * pending exceptions, stores do not. */
static void environment(struct x86_lift *l, const struct x86_insn *i,
                        const struct ir_helper *helper, bool loads)
{
    bool wide = i->z.operand_width != 16;

    x86_mmx_stale(l);
    if (l->mode & (X86_KEY_TS | X86_KEY_EM)) {
        x86_exception(l, X86_NM, 0, false);
        return;
    }
    if (loads && l->mode & X86_KEY_MF) {
        x86_exception(l, X86_MF, 0, false);
        return;
    }
    x86_call(l, helper, x86_address(l, &i->op[0], !loads), ir_const32(l->b, wide),
             ir_const32(l->b, x86_memop(l, wide ? 32 : 16, 0)), IR_NONE);
    /* An exception may have become pending, or may not be any more. */
    if (loads || l->mode & X86_KEY_MF)
        x86_leave_state(l);
}

#define ENVIRONMENT(name, fn, flags, loads)                                                        \
    void x86_##name(struct x86_lift *l, const struct x86_insn *i)                                  \
    {                                                                                              \
        static const struct ir_helper helper = {"x86_" #name, fn, flags, IR_VOID, 3};              \
        environment(l, i, &helper, loads);                                                         \
    }
ENVIRONMENT(fnstenv, x87_store_environment, SAVES, false)
ENVIRONMENT(fldenv, x87_load_environment, SAVES, true)
ENVIRONMENT(fnsave, x87_save, SAVES, false)
ENVIRONMENT(frstor, x87_restore, RESTORES, true)

/* ---- FXSAVE, XSAVE ---- */

static void area(struct x86_lift *l, const struct x86_insn *i, const struct ir_helper *helper,
                 uint32_t how)
{
    bool restores = helper->flags & IR_H_WRITES;
    if (i->z.operand_width == 64)
        how |= X86_XS_WIDE;
    how |= (uint32_t)x86_memop(l, 8, 0) << 16;
    x86_call(l, helper, x86_address(l, &i->op[0], !restores), ir_const32(l->b, how), IR_NONE,
             IR_NONE);
    /* MXCSR may have changed. */
    if (restores)
        x86_leave_state(l);
}

static bool not_available(struct x86_lift *l, uint32_t mode_bits)
{
    if (!(l->mode & mode_bits))
        return false;
    x86_exception(l, X86_NM, 0, false);
    return true;
}

void x86_fxsave(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_fxsave", x86_fxsave_area, SAVES, IR_VOID, 2};
    if (!not_available(l, X86_KEY_TS | X86_KEY_EM))
        area(l, i, &helper, 0);
}

void x86_fxrstor(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_fxrstor", x86_fxrstor_area, RESTORES, IR_VOID, 2};
    if (!not_available(l, X86_KEY_TS | X86_KEY_EM))
        area(l, i, &helper, 0);
}

void x86_xsave(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_xsave", x86_xsave_area, SAVES, IR_VOID, 2};
    if (!not_available(l, X86_KEY_TS))
        area(l, i, &helper, i->row->arg);
}

void x86_xrstor(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_xrstor", x86_xrstor_area, RESTORES, IR_VOID, 2};
    if (!not_available(l, X86_KEY_TS))
        area(l, i, &helper, 0);
}

/* ---- MXCSR ---- */

/* False: an exception instead. NEEDS: X86_KEY_SSE or X86_KEY_AVX. */
static bool vector_state(struct x86_lift *l, uint32_t needs)
{
    if (!(l->mode & needs)) {
        x86_undefined(l);
        return false;
    }
    return !not_available(l, X86_KEY_TS);
}

static uint64_t load_mxcsr(struct nw_vcpu *vcpu, uint64_t value, uint64_t unused1, uint64_t unused2,
                           uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    if (value & ~(uint64_t)X86_MXCSR_MASK)
        x86_raise(vcpu, X86_GP, 0);
    else
        x86_mxcsr_write(vcpu, (uint32_t)value);
    return 0;
}

static uint64_t read_mxcsr(struct nw_vcpu *vcpu, uint64_t unused1, uint64_t unused2,
                           uint64_t unused3, uint64_t unused4)
{
    (void)unused1, (void)unused2, (void)unused3, (void)unused4;
    return x86_mxcsr_read(vcpu);
}

void x86_ldmxcsr(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_ldmxcsr", load_mxcsr, RESTORES, IR_VOID, 1};
    if (!vector_state(l, i->row->arg))
        return;
    x86_call(l, &helper, x86_read(l, 0), IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

void x86_stmxcsr(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_stmxcsr", read_mxcsr, IR_H_READS, IR_I32, 0};
    if (!vector_state(l, i->row->arg))
        return;
    x86_write(l, 0, x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
}
