#include "guest/x86/control.h"

#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"

#define CR0_KNOWN                                                                                  \
    (X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |    \
     X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

static bool gp0(struct nw_vcpu *vcpu)
{
    return x86_fail(vcpu, X86_GP, 0);
}

/* Paging is switched on or off (SDM 3A 4.1.2, 9.8.5). */
static bool paging_ok(const struct x86_state *s, bool on)
{
    bool code64 = s->mode & X86_KEY_CODE64;

    if (!on)
        return (!code64 || s->bare) && !(s->cr4 & X86_CR4_PCIDE);
    if (!(s->efer & X86_EFER_LME))
        return true;
    if (s->bare && code64)
        return s->cr4 & X86_CR4_PAE;
    return s->cr4 & X86_CR4_PAE && !(s->seg[X86_CS].attr & X86_ATTR_L) &&
           (s->seg[X86_TR].attr & 8 || !(s->seg[X86_TR].attr & 1));
}

static bool cr0_write(struct nw_vcpu *vcpu, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t changed = s->cr0 ^ value;

    if (value >> 32 || (value & X86_CR0_PG && !(value & X86_CR0_PE)) ||
        (value & X86_CR0_NW && !(value & X86_CR0_CD)))
        return gp0(vcpu);
    if (changed & X86_CR0_PG && !paging_ok(s, value & X86_CR0_PG))
        return gp0(vcpu);
    bool pae = value & X86_CR0_PG && s->cr4 & X86_CR4_PAE && !(s->efer & X86_EFER_LME);
    if (pae && changed & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW) &&
        !x86_mmu_load_pdptes(vcpu, s->cr3))
        return false;
    /* A bare CPU stays in long mode without paging. */
    if (changed & X86_CR0_PG && s->efer & X86_EFER_LME && !(s->bare && s->mode & X86_KEY_CODE64))
        s->efer ^= X86_EFER_LMA;
    s->cr0 = (value & CR0_KNOWN) | X86_CR0_ET;
    if (changed & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
        x86_mmu_flush(vcpu);
    return true;
}

static bool cr3_write(struct nw_vcpu *vcpu, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);

    if (s->cr4 & X86_CR4_PCIDE)
        value &= ~(1ull << 63); /* keep translations: allowed not to */
    if (x86_long(s) && value >> X86_PHYSICAL_BITS)
        return gp0(vcpu);
    if (s->cr0 & X86_CR0_PG && s->cr4 & X86_CR4_PAE && !x86_long(s) &&
        !x86_mmu_load_pdptes(vcpu, value))
        return false;
    s->cr3 = value;
    x86_mmu_flush_space(vcpu);
    return true;
}

static uint64_t cr4_known(const struct x86_state *s)
{
    static const struct {
        uint32_t bit;
        uint8_t feature;
    } bits[] = {
        {X86_CR4_TSD, X86_F_BASE},          {X86_CR4_DE, X86_F_BASE},
        {X86_CR4_PSE, X86_F_PSE},           {X86_CR4_PAE, X86_F_PAE},
        {X86_CR4_MCE, X86_F_BASE},          {X86_CR4_PGE, X86_F_PGE},
        {X86_CR4_PCE, X86_F_BASE},          {X86_CR4_OSFXSR, X86_F_FXSR},
        {X86_CR4_OSXMMEXCPT, X86_F_SSE},    {X86_CR4_UMIP, X86_F_UMIP},
        {X86_CR4_FSGSBASE, X86_F_FSGSBASE}, {X86_CR4_PCIDE, X86_F_PCID},
        {X86_CR4_OSXSAVE, X86_F_XSAVE},     {X86_CR4_SMEP, X86_F_SMEP},
        {X86_CR4_SMAP, X86_F_SMAP},
    };
    uint64_t known = 0;

    for (unsigned n = 0; n < ARRAY_LEN(bits); n++)
        if (bits[n].feature == X86_F_BASE || x86_model_has(s->model, bits[n].feature))
            known |= bits[n].bit;
    return known;
}

/* Long mode does, but for a bare CPU's that does not page. */
static bool needs_pae(const struct x86_state *s)
{
    return x86_long(s) && (!s->bare || s->cr0 & X86_CR0_PG);
}

static bool cr4_write(struct nw_vcpu *vcpu, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t changed = s->cr4 ^ value;
    bool pcid_on = changed & value & X86_CR4_PCIDE;

    if (value & ~cr4_known(s) || (needs_pae(s) && !(value & X86_CR4_PAE)) ||
        (pcid_on && (!x86_long(s) || s->cr3 & 0xfff)))
        return gp0(vcpu);
    bool pae = s->cr0 & X86_CR0_PG && value & X86_CR4_PAE && !x86_long(s);
    if (pae && changed & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP) &&
        !x86_mmu_load_pdptes(vcpu, s->cr3))
        return false;
    s->cr4 = value;
    x86_mmu_flush(vcpu);
    return true;
}

bool x86_cr_write(struct nw_vcpu *vcpu, unsigned n, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    bool ok = true;

    switch (n) {
    case 0: ok = cr0_write(vcpu, value); break;
    case 2: s->cr2 = value; break;
    case 3: ok = cr3_write(vcpu, value); break;
    case 4: ok = cr4_write(vcpu, value); break;
    default:
        if (value >> 4)
            return gp0(vcpu);
        s->cr8 = value;
        break;
    }
    x86_mode_update(s);
    return ok;
}

enum { XCR0_X87 = 1, XCR0_SSE = 2, XCR0_AVX = 4 };

bool x86_xcr_write(struct nw_vcpu *vcpu, uint32_t n, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    uint64_t known = XCR0_X87 | XCR0_SSE | (x86_model_has(s->model, X86_F_AVX) ? XCR0_AVX : 0);

    if (n || value & ~known || !(value & XCR0_X87) || (value & XCR0_AVX && !(value & XCR0_SSE)))
        return gp0(vcpu);
    s->xcr0 = value;
    x86_mode_update(s);
    return true;
}
