#include "guest/x86/segment.h"
#include "guest/x86/lift.h"
#include "guest/x86/x87.h"

/* Type bits of a descriptor with S = 1 (SDM 3A 3.4.5.1). */
enum { TYPE_WRITABLE = 2, TYPE_READABLE = 2, TYPE_DOWN = 4, TYPE_CODE = 8 };

static bool within_limit(const struct x86_segment *s, uint64_t offset, uint32_t size)
{
    uint64_t last = offset + size - 1;
    bool down = (s->attr & (TYPE_CODE | TYPE_DOWN)) == TYPE_DOWN;
    if (!down)
        return last <= s->limit;
    uint64_t top = s->attr & X86_ATTR_DB ? UINT32_MAX : 0xffff;
    return offset > s->limit && last <= top;
}

bool x86_segment_allows(const struct x86_segment *s, uint64_t offset, uint32_t size, bool write,
                        bool real)
{
    if (!within_limit(s, offset, size))
        return false;
    if (real)
        return true;
    /* A null selector leaves a segment that is not present. */
    if (!(s->attr & X86_ATTR_P))
        return false;
    if (s->attr & TYPE_CODE)
        return !write && s->attr & TYPE_READABLE;
    return !write || s->attr & TYPE_WRITABLE;
}

/* A bare CPU's segments have a base and no limit, and may be read and written. */
static void unbind(struct x86_segment *seg, unsigned n)
{
    seg->limit = UINT32_MAX;
    if (n == X86_CS)
        seg->attr |= X86_ATTR_P | TYPE_READABLE;
    else if (!(seg->attr & TYPE_CODE))
        seg->attr = (uint16_t)((seg->attr & ~(unsigned)TYPE_DOWN) | X86_ATTR_P | TYPE_WRITABLE);
}

uint64_t x86_segment_check(struct nw_vcpu *vcpu, uint64_t what, uint64_t offset, uint64_t unused1,
                           uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    unsigned seg = what & 7;
    bool real = !(s->mode & X86_KEY_PROT) || s->mode & X86_KEY_VM86;

    if (!s->bare &&
        !x86_segment_allows(&s->seg[seg], offset, (uint32_t)(what >> 16), what & 8, real))
        x86_raise(vcpu, seg == X86_SS ? X86_SS_FAULT : X86_GP, 0);
    return 0;
}

/* ---- the mode word ---- */

static bool is_flat(const struct x86_segment *s)
{
    return s->base == 0 && s->limit == UINT32_MAX && s->attr & X86_ATTR_P;
}

static bool is_flat_data(const struct x86_segment *s)
{
    bool down = (s->attr & (TYPE_CODE | TYPE_DOWN)) == TYPE_DOWN;
    return is_flat(s) && !down && !(s->attr & TYPE_CODE) && s->attr & TYPE_WRITABLE;
}

static uint32_t segment_bits(const struct x86_state *s)
{
    const struct x86_segment *cs = &s->seg[X86_CS];
    uint32_t bits = 0;

    if (s->efer & (1u << 10) && cs->attr & X86_ATTR_L)
        return X86_KEY_CODE64 | X86_KEY_CS_FLAT | X86_KEY_SEG_FLAT;
    if (cs->attr & X86_ATTR_DB)
        bits |= X86_KEY_CODE32;
    if (s->seg[X86_SS].attr & X86_ATTR_DB)
        bits |= X86_KEY_STACK32;
    if (is_flat(cs) && cs->attr & TYPE_READABLE)
        bits |= X86_KEY_CS_FLAT;
    if (is_flat_data(&s->seg[X86_DS]) && is_flat_data(&s->seg[X86_ES]) &&
        is_flat_data(&s->seg[X86_SS]))
        bits |= X86_KEY_SEG_FLAT;
    return bits;
}

enum { CR0_PE = 1 << 0, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_AM = 1 << 18 };
enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_OSXSAVE = 1 << 18 };

/* What of a segment every ordinary access may use. */
static uint32_t quick_size(const struct x86_segment *seg, bool real)
{
    bool code = seg->attr & TYPE_CODE, down = !code && seg->attr & TYPE_DOWN;
    bool usable = real || (seg->attr & X86_ATTR_P && seg->attr & TYPE_READABLE);

    return usable && !down && seg->limit >= X86_QUICK_SIZE ? seg->limit - X86_QUICK_SIZE + 1 : 0;
}

/* A bare CPU starts with an MXCSR that masks nothing, and nobody to serve #XM. */
static bool traps_floats(const struct x86_state *s)
{
    return (s->mxcsr & 0x1f80) != 0x1f80 && (!s->bare || s->cr4 & CR4_OSXMMEXCPT);
}

void x86_mode_update(struct x86_state *s)
{
    bool real = !(s->cr0 & CR0_PE) || s->eflags & X86_VM;

    for (unsigned n = X86_ES; s->bare && n <= X86_GS; n++)
        unbind(&s->seg[n], n);
    uint32_t mode = segment_bits(s);
    unsigned cpl = s->cr0 & CR0_PE ? X86_ATTR_DPL(s->seg[X86_SS].attr) : 0;

    if (s->cr0 & CR0_PE)
        mode |= X86_KEY_PROT;
    if (s->eflags & X86_VM) {
        mode |= X86_KEY_VM86;
        cpl = 3;
    }
    mode |= cpl << 5;
    if (s->efer & (1u << 10))
        mode |= X86_KEY_LONG;
    if (s->cr4 & CR4_OSFXSR)
        mode |= s->cr0 & CR0_EM ? 0 : X86_KEY_SSE;
    else
        mode |= X86_KEY_OSFXSR_OFF;
    if (s->cr4 & CR4_OSXSAVE && (s->xcr0 & 6) == 6)
        mode |= X86_KEY_AVX;
    if (s->cr0 & CR0_TS)
        mode |= X86_KEY_TS;
    if (s->cr0 & CR0_EM)
        mode |= X86_KEY_EM;
    if (traps_floats(s))
        mode |= X86_KEY_FP_TRAP;
    if (s->cr0 & CR0_AM && s->eflags & X86_AC && cpl == 3)
        mode |= X86_KEY_AC;
    mode |= (s->eflags & X86_IOPL) << 4;
    if (s->eflags & X86_TF)
        mode |= X86_KEY_TF;
    if (s->eflags & X86_RF)
        mode |= X86_KEY_RF;
    if (s->dr[7] & 0xff)
        mode |= X86_KEY_BREAK;
    if (s->eflags & X86_AC && cpl < 3)
        mode |= X86_KEY_SMAP_AC;
    if (s->inhibit)
        mode |= X86_KEY_INHIBIT;
    if (x87_pending(s))
        mode |= X86_KEY_MF;
    s->mode = mode;
    for (unsigned n = X86_ES; n <= X86_GS; n++)
        s->quick[n] = quick_size(&s->seg[n], real);
}
