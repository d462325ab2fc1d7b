/* PCMPESTRI and its sisters (SDM 2B 4.1), in a helper. */
#include "guest/x86/vector.h"

#include <string.h>

struct strings {
    int32_t a[16], b[16]; /* elements, extended as their format says */
    unsigned na, nb;      /* valid ones */
    unsigned n;           /* elements in a vector */
};

/* imm8: bits 1:0 format, 3:2 aggregation, 5:4 polarity, 6 output. */
enum { WORDS = 1, SIGNED = 2, ANY = 0, RANGES = 1, EACH = 2, ORDERED = 3 };

static int32_t element(const uint8_t *v, unsigned n, unsigned imm)
{
    uint16_t word;
    memcpy(&word, v + 2 * (n % 8), 2);
    if (imm & WORDS)
        return imm & SIGNED ? (int16_t)word : word;
    return imm & SIGNED ? (int8_t)v[n] : v[n];
}

/* Length of an implicit string: up to the first 0. */
static unsigned implicit(const int32_t *v, unsigned n)
{
    unsigned len = 0;
    while (len < n && v[len])
        len++;
    return len;
}

static unsigned explicit_length(int64_t given, unsigned n)
{
    uint64_t size = given < 0 ? -(uint64_t)given : (uint64_t)given;
    return size < n ? (unsigned)size : n;
}

/* Is element J of b in one of the ranges (pairs) of a? */
static bool in_ranges(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i + 1 < s->na; i += 2)
        if (s->b[j] >= s->a[i] && s->b[j] <= s->a[i + 1])
            return true;
    return false;
}

static bool in_set(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i < s->na; i++)
        if (s->a[i] == s->b[j])
            return true;
    return false;
}

static bool each_equal(const struct strings *s, unsigned j)
{
    bool va = j < s->na, vb = j < s->nb;
    return va && vb ? s->a[j] == s->b[j] : va == vb;
}

/* Does a begin at element J of b, as far as b reaches? */
static bool begins_at(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i < s->na && i + j < s->n; i++)
        if (i + j >= s->nb || s->a[i] != s->b[i + j])
            return false;
    return true;
}

static uint32_t compare(const struct strings *s, unsigned imm)
{
    uint32_t res = 0, valid = 0;
    for (unsigned j = 0; j < s->n; j++) {
        bool holds;
        switch (imm >> 2 & 3) {
        case ANY: holds = j < s->nb && in_set(s, j); break;
        case RANGES: holds = j < s->nb && in_ranges(s, j); break;
        case EACH: holds = each_equal(s, j); break;
        default: holds = begins_at(s, j); break;
        }
        res |= (uint32_t)holds << j;
        valid |= (uint32_t)(j < s->nb) << j;
    }
    if (imm & 0x10)
        res ^= imm & 0x20 ? valid : (1u << s->n) - 1;
    return res;
}

static void load_strings(struct strings *s, const union ir_vec *a, const union ir_vec *b,
                         unsigned imm)
{
    s->n = imm & WORDS ? 8 : 16;
    for (unsigned n = 0; n < s->n; n++) {
        s->a[n] = element(a->u8, n, imm);
        s->b[n] = element(b->u8, n, imm);
    }
}

/* What the helper is told: imm8, first register << 8, explicit lengths in 64 bits << 16, … at all
 * << 17, a mask is made << 18, VEX << 19. The second operand is in the state's scratch. */
static uint64_t pcmpstr(struct nw_vcpu *vcpu, uint64_t what, uint64_t unused1, uint64_t unused2,
                        uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *st = x86_of(vcpu);
    unsigned imm = what & 0xff;
    bool lengths = what >> 17 & 1, wide = what >> 16 & 1, mask = what >> 18 & 1;
    union ir_vec a, b, out;
    struct strings s;

    memset(&out, 0, sizeof out);
    memcpy(a.u8, st->ymm[what >> 8 & 15], 16);
    memcpy(b.u8, st->scratch[0], 16);
    load_strings(&s, &a, &b, imm);
    if (lengths) {
        uint64_t ra = st->gpr[X86_RAX], rd = st->gpr[X86_RDX];
        s.na = explicit_length(wide ? (int64_t)ra : (int32_t)ra, s.n);
        s.nb = explicit_length(wide ? (int64_t)rd : (int32_t)rd, s.n);
    } else {
        s.na = implicit(s.a, s.n);
        s.nb = implicit(s.b, s.n);
    }
    uint32_t res = compare(&s, imm);
    uint32_t flags = (res ? X86_CF : 0) | (s.nb < s.n ? X86_ZF : 0) | (s.na < s.n ? X86_SF : 0) |
                     (res & 1 ? X86_OF : 0);
    if (mask) {
        for (unsigned n = 0; n < s.n && imm & 0x40; n++)
            memset(out.u8 + n * (16 / s.n), res >> n & 1 ? 0xff : 0, 16 / s.n);
        if (!(imm & 0x40))
            out.u32[0] = res;
        memcpy(st->ymm[0], out.u8, what >> 19 & 1 ? 32 : 16);
    } else if (res == 0) {
        st->gpr[X86_RCX] = s.n;
    } else {
        st->gpr[X86_RCX] =
            imm & 0x40 ? 31u - (unsigned)__builtin_clz(res) : (unsigned)__builtin_ctz(res);
    }
    st->cc_op = X86_CC_FLAGS;
    st->cc_src = flags;
    return 0;
}

/* Argument: 1 explicit lengths, 2 a mask is made. */
void x86_pcmpstr(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_pcmpstr", pcmpstr, IR_H_READS | IR_H_WRITES,
                                            IR_VOID, 1};
    if (!x86_vec_begin(l))
        return;
    ir_val b;
    if (x86_is_mem(i, 1)) /* no alignment is asked for, in legacy SSE either */
        b = ir_ld(l->b, IR_V128, x86_address(l, &i->op[1], false), x86_memop(l, 128, 0));
    else
        b = x86_vec_read(l, 1, IR_V128);
    ir_put(l->b, IR_V128, X86_OFF(scratch), b);
    bool wide =
        x86_is_vex(i) ? i->z.raw.vex.W : i->z.attributes & ZYDIS_ATTRIB_HAS_REX && i->z.raw.rex.W;
    uint32_t what = x86_vec_imm(i) | x86_vec_reg(i, 0) << 8 |
                    (l->bits == 64 && wide ? 1u << 16 : 0) | (i->row->arg & 1) << 17 |
                    (i->row->arg & 2) << 17 | (x86_is_vex(i) ? 1u << 19 : 0);
    x86_call(l, &helper, ir_const32(l->b, what), IR_NONE, IR_NONE, IR_NONE);
}
