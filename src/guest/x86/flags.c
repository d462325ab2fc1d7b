/* Evaluation of lazy flags. Semantics: SDM 1 3.4.3.1 and the instructions' own pages. */
#include "guest/x86/flags.h"

struct operands {
    uint64_t dst, src, a;
    uint64_t sign; /* bit of the operation's size */
};

static uint32_t parity(uint64_t dst)
{
    return __builtin_parityll(dst & 0xff) ? 0 : X86_PF;
}

static uint32_t result_flags(const struct operands *o)
{
    return parity(o->dst) | (o->dst == 0 ? X86_ZF : 0) | (o->dst & o->sign ? X86_SF : 0);
}

/* Of a sum or a difference whose carries or borrows out of each bit are CARRIES. */
static uint32_t carry_flags(const struct operands *o, uint64_t carries)
{
    bool out = carries & o->sign, in = carries & o->sign >> 1;
    return (out ? X86_CF : 0) | (carries & 8 ? X86_AF : 0) | (out != in ? X86_OF : 0);
}

static uint32_t sum_flags(const struct operands *o)
{
    return result_flags(o) | carry_flags(o, (o->a & o->src) | ((o->a | o->src) & ~o->dst));
}

static uint32_t difference_flags(const struct operands *o)
{
    return result_flags(o) | carry_flags(o, (~o->a & o->src) | ((~o->a | o->src) & o->dst));
}

static uint32_t shift_flags(const struct operands *o, bool left)
{
    bool carry = left ? o->src & o->sign : o->src & 1;
    bool changed = (o->src ^ o->dst) & o->sign;
    return result_flags(o) | (carry ? X86_CF : 0) | (changed ? X86_OF : 0);
}

uint32_t x86_flags_eval(uint64_t op, uint64_t dst, uint64_t src, uint64_t aux)
{
    unsigned size = 8u << (op & 3), kind = op & 0xfc;
    uint64_t mask = UINT64_MAX >> (64 - size);
    struct operands o = {dst & mask, src & mask, aux & mask, 1ull << (size - 1)};
    uint32_t flags;

    switch (kind) {
    case X86_CC_FLAGS: flags = (uint32_t)src & X86_FLAGS_ARITH; break;
    case X86_CC_ADD:
        o.a = (dst - src) & mask;
        flags = sum_flags(&o);
        break;
    case X86_CC_SUB:
        o.a = (dst + src) & mask;
        flags = difference_flags(&o);
        break;
    case X86_CC_ADC: flags = sum_flags(&o); break;
    case X86_CC_SBB: flags = difference_flags(&o); break;
    case X86_CC_INC:
        o.src = 1;
        o.a = (dst - 1) & mask;
        flags = sum_flags(&o);
        break;
    case X86_CC_DEC:
        o.src = 1;
        o.a = (dst + 1) & mask;
        flags = difference_flags(&o);
        break;
    case X86_CC_SHL: flags = shift_flags(&o, true); break;
    case X86_CC_SHR:
    case X86_CC_SAR: flags = shift_flags(&o, false); break;
    case X86_CC_BLS: flags = result_flags(&o) | (src & 1 ? X86_CF : 0); break;
    default: flags = result_flags(&o); break;
    }
    if (op & X86_CC_AF)
        flags |= X86_AF;
    if (op & X86_CC_CF)
        flags = (flags & ~(uint32_t)X86_CF) | (uint32_t)(op >> 32 & 1);
    if (op & X86_CC_OF)
        flags = (flags & ~(uint32_t)X86_OF) | (op >> 33 & 1 ? X86_OF : 0);
    return flags;
}

uint32_t x86_eflags_read(const struct x86_state *s)
{
    uint64_t op = s->cc_op | (uint64_t)(s->cc_cf & 3) << 32;
    return x86_flags_eval(op, s->cc_dst, s->cc_src, s->cc_aux) | s->eflags | 2;
}

void x86_eflags_write(struct x86_state *s, uint32_t value, uint32_t mask)
{
    uint32_t keep = ~mask & X86_FLAGS_ARITH ? x86_eflags_read(s) : s->eflags;
    uint32_t all = (keep & ~mask) | (value & mask);
    s->cc_op = X86_CC_FLAGS;
    s->cc_src = all & X86_FLAGS_ARITH;
    s->eflags = all & ~(uint32_t)(X86_FLAGS_ARITH | 2);
}
