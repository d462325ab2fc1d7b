/* From linear to physical addresses (SDM 3A chapter 4): 32-bit, PAE and 4-level paging.
 *
 * Table entries that lie in no memory, or in a device's, read as all ones. Accessed and dirty flags
 * are set when the translation has succeeded, in all entries it used. */
#include "guest/x86/control.h"
#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"
#include "mem/mmu.h"

enum {
    PTE_P = 1,
    PTE_W = 2,
    PTE_U = 4,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8
};
#define PTE_NX (1ull << 63)

/* The error code of a page fault (SDM 3A 4.7). */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

#define BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))
#define ADDRESS         BITS(X86_PHYSICAL_BITS - 1, 12)

#define LEVELS 4

struct walk {
    struct nw_vcpu *vcpu;
    const struct x86_state *s;
    uint64_t gva;
    bool user; /* the access has user-mode rights */
    bool smap; /* it may not reach user-mode pages for data */
    bool nx;   /* the tables' bit 63 counts */
    bool pae;  /* 3 levels: what 4-level paging ignores is reserved */
    uint8_t entry_size;
    /* The entries used. */
    uint64_t at[LEVELS], entry[LEVELS];
    unsigned depth;
    /* What all of them together say of the page. */
    bool user_page, writable, no_execute;
    unsigned size_log;
    uint64_t gpa; /* of the byte */
};

static bool refuse(struct mmu_page *out, uint32_t code)
{
    out->code = code;
    out->absent = !(code & PF_P);
    return false;
}

/* The entry at AT, with what it says of the page taken in. */
static uint64_t use_entry(struct walk *w, uint64_t at)
{
    uint64_t entry = mmu_walk_load(w->vcpu, at, w->entry_size);

    w->at[w->depth] = at;
    w->entry[w->depth++] = entry;
    w->user_page &= (entry & PTE_U) != 0;
    w->writable &= (entry & PTE_W) != 0;
    w->no_execute |= w->nx && entry & PTE_NX;
    return entry;
}

static void found(struct walk *w, uint64_t page, unsigned size_log)
{
    w->size_log = size_log;
    w->gpa = page | (w->gva & BITS(size_log - 1, 0));
}

/* ---- 32-bit paging (SDM 3A 4.3) ---- */

static bool walk_32(struct walk *w, struct mmu_page *out)
{
    uint64_t pde = use_entry(w, (w->s->cr3 & 0xfffff000) | (w->gva >> 22 & 0x3ff) * 4);

    if (!(pde & PTE_P))
        return refuse(out, 0);
    if (pde & PTE_PS && w->s->cr4 & X86_CR4_PSE) {
        /* PSE-36: bits 20..13 are bits 39..32 of the address. */
        if (pde & 1 << 21)
            return refuse(out, PF_P | PF_RSVD);
        found(w, (pde & 0xffc00000) | (pde >> 13 & 0xff) << 32, 22);
        return true;
    }
    uint64_t pte = use_entry(w, (pde & 0xfffff000) | (w->gva >> 12 & 0x3ff) * 4);
    if (!(pte & PTE_P))
        return refuse(out, 0);
    found(w, pte & 0xfffff000, 12);
    return true;
}

/* ---- PAE and 4-level paging (SDM 3A 4.4, 4.5) ---- */

static bool has_1g(const struct walk *w)
{
    return x86_model_has(w->s->model, X86_F_PDPE1GB);
}

/* Bits of a present entry that must be 0. SHIFT: what one entry maps. */
static uint64_t reserved(const struct walk *w, unsigned shift, bool leaf)
{
    uint64_t bits = BITS(w->pae ? 62 : 51, X86_PHYSICAL_BITS);

    if (!w->nx)
        bits |= PTE_NX;
    if (leaf && shift > 12)
        bits |= BITS(shift - 1, 13);
    if (!leaf && shift >= 30)
        bits |= PTE_PS;
    return bits;
}

/* From TABLE on, whose entries map 1 << SHIFT bytes each. */
static bool walk_64(struct walk *w, uint64_t table, unsigned shift, struct mmu_page *out)
{
    for (;; shift -= 9) {
        uint64_t entry = use_entry(w, table | (w->gva >> shift & 0x1ff) * 8);
        bool large = entry & PTE_PS && (shift == 21 || (shift == 30 && has_1g(w)));
        bool leaf = large || shift == 12;

        if (!(entry & PTE_P))
            return refuse(out, 0);
        if (entry & reserved(w, shift, leaf))
            return refuse(out, PF_P | PF_RSVD);
        if (leaf) {
            found(w, entry & ADDRESS & ~BITS(shift - 1, 0), shift);
            return true;
        }
        table = entry & ADDRESS;
    }
}

static bool walk_pae(struct walk *w, struct mmu_page *out)
{
    uint64_t pdpte = w->s->pdpte[w->gva >> 30 & 3];

    return pdpte & PTE_P ? walk_64(w, pdpte & ADDRESS, 21, out) : refuse(out, 0);
}

/* Finds the page. False: it is not there, *OUT has the code without what the access adds. */
static bool walk(struct walk *w, struct mmu_page *out)
{
    w->depth = 0;
    w->user_page = w->writable = true;
    w->no_execute = false;
    if (!(w->s->cr4 & X86_CR4_PAE))
        return walk_32(w, out);
    if (w->pae)
        return walk_pae(w, out);
    return walk_64(w, w->s->cr3 & ADDRESS, 39, out);
}

/* ---- rights (SDM 3A 4.6) ---- */

static bool allowed(const struct walk *w, nw_access access)
{
    const struct x86_state *s = w->s;

    if (w->user && !w->user_page)
        return false;
    if (!w->user && w->user_page && (access == NW_ACCESS_FETCH ? s->cr4 & X86_CR4_SMEP : w->smap))
        return false;
    switch (access) {
    case NW_ACCESS_WRITE: return w->writable || (!w->user && !(s->cr0 & X86_CR0_WP));
    case NW_ACCESS_FETCH: return !w->no_execute;
    default: return true;
    }
}

/* What an access adds to the error code of its fault. */
static uint32_t access_code(const struct walk *w, nw_access access)
{
    uint32_t code = w->user ? PF_U : 0;

    if (access == NW_ACCESS_WRITE)
        code |= PF_W;
    if (access == NW_ACCESS_FETCH && (w->nx || w->s->cr4 & X86_CR4_SMEP))
        code |= PF_I;
    return code;
}

/* Sets accessed and dirty flags (SDM 3A 4.8). False: an entry has changed since it was read. */
static bool mark(struct walk *w, bool dirty)
{
    for (unsigned n = 0; n < w->depth; n++) {
        uint64_t marks = PTE_A | (dirty && n == w->depth - 1 ? PTE_D : 0);

        if ((w->entry[n] & marks) == marks)
            continue;
        if (!mmu_walk_update(w->vcpu, w->at[n], w->entry[n], w->entry[n] | marks, w->entry_size))
            return false;
        w->entry[n] |= marks;
    }
    return true;
}

static uint32_t rights_of(const struct walk *w)
{
    uint32_t rights = 0;

    if (allowed(w, NW_ACCESS_READ))
        rights |= NW_READ;
    if (allowed(w, NW_ACCESS_WRITE) && w->entry[w->depth - 1] & PTE_D)
        rights |= NW_WRITE;
    if (allowed(w, NW_ACCESS_FETCH))
        rights |= NW_EXEC;
    return rights;
}

static bool look_up(struct walk *w, nw_access access, struct mmu_page *out)
{
    do {
        if (!walk(w, out)) {
            out->code |= access_code(w, access);
            return false;
        }
        if (!allowed(w, access))
            return refuse(out, PF_P | access_code(w, access));
    } while (!mark(w, access == NW_ACCESS_WRITE));
    bool global = w->entry[w->depth - 1] & PTE_G && w->s->cr4 & X86_CR4_PGE;
    *out = (struct mmu_page){
        .gpa = w->gpa, .rights = rights_of(w), .note = w->size_log | (global ? TLB_GLOBAL : 0u)};
    return true;
}

bool x86_translate(struct nw_vcpu *vcpu, uint64_t gva, unsigned mmu, nw_access access,
                   struct mmu_page *out)
{
    const struct x86_state *s = x86_of(vcpu);
    bool wide = x86_long(s);

    if (!wide)
        gva = (uint32_t)gva;
    if (!(s->cr0 & X86_CR0_PG)) {
        *out = (struct mmu_page){.gpa = gva, .rights = NW_RWX, .note = PAGE_BITS};
        return true;
    }
    /* No page fault: see x86_deliver. */
    if (wide && !x86_canonical(gva))
        return refuse(out, 0);
    struct walk w = {
        .vcpu = vcpu,
        .s = s,
        .gva = gva,
        .user = access == NW_ACCESS_FETCH ? x86_cpl(s) == 3 : mmu == X86_MMU_USER,
        .smap = mmu == X86_MMU_GUARDED && s->cr4 & X86_CR4_SMAP,
        .nx = s->cr4 & X86_CR4_PAE && s->efer & X86_EFER_NXE,
        .pae = !wide,
        .entry_size = s->cr4 & X86_CR4_PAE ? 8 : 4,
    };
    mmu_walk_begin(vcpu);
    bool ok = look_up(&w, access, out);
    mmu_walk_end(vcpu);
    return ok;
}
