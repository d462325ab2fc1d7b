/* Short descriptors: ARM DDI 0406C B3.5; with SCTLR.XP clear the tables of ARMv5, whose small pages
 * have permissions for each quarter: DDI 0100I B4.7. */
#include "guest/arm/control.h"
#include "guest/arm/mmu.h"

#define R NW_READ
#define W NW_WRITE
#define X NW_EXEC

enum { TYPE_FAULT, TYPE_TABLE, TYPE_SECTION, TYPE_FINE }; /* bits 1..0 of the first level */
enum { PAGE_FAULT, PAGE_LARGE, PAGE_SMALL, PAGE_TINY };   /* … and of the second */
enum { DOMAIN_CLIENT = 1, DOMAIN_MANAGER = 3 };

static uint32_t bits(uint32_t v, unsigned low, unsigned n)
{
    return v >> low & ((1u << n) - 1);
}

static uint64_t splice(uint64_t base, uint32_t va, unsigned size_log)
{
    uint32_t offset = (1u << size_log) - 1;

    return (base & ~(uint64_t)offset) | (va & offset);
}

/* False: no memory is there. */
static bool load(struct arm_walk *w, uint64_t at, uint32_t *descriptor)
{
    uint64_t v;

    if (!mmu_walk_read(w->vcpu, at, 4, &v))
        return false;
    *descriptor = w->s->sctlr & ARM_SCTLR_EE ? __builtin_bswap32((uint32_t)v) : (uint32_t)v;
    return true;
}

/* AP[2:0] with what SCTLR adds (B3.7.1, DDI 0100I B4.3.2); execution is the same as reading. */
static struct arm_rights access_rights(const struct arm_state *s, unsigned ap)
{
    uint32_t sr = s->sctlr & (ARM_SCTLR_S | ARM_SCTLR_R);

    switch (ap) {
    case 0:
        if (s->features & ARM_F_V7 || (sr != ARM_SCTLR_S && sr != ARM_SCTLR_R))
            return arm_rights_of(0, 0);
        return arm_rights_of(R | X, sr == ARM_SCTLR_R ? R | X : 0);
    case 1: return arm_rights_of(R | W | X, 0);
    case 2: return arm_rights_of(R | W | X, R | X);
    case 3: return arm_rights_of(R | W | X, R | W | X);
    case 5: return arm_rights_of(R | X, 0);
    case 6: return arm_rights_of(R | X, R | X);
    case 7: return s->features & ARM_F_V6K ? arm_rights_of(R | X, R | X) : arm_rights_of(0, 0);
    default: return arm_rights_of(0, 0);
    }
}

/* SCTLR.AFE: AP[2:1] alone (B3.7.1). */
static struct arm_rights simple_rights(unsigned ap)
{
    unsigned most = ap & 4 ? R | X : R | W | X;

    return arm_rights_of(most, ap & 2 ? most : 0);
}

/* The table that VA belongs to and the entry there. */
static bool first_level(struct arm_walk *w, uint32_t *descriptor)
{
    const struct arm_state *s = w->s;
    unsigned n = s->ttbcr & 7;
    bool second = n && w->va >> (32 - n);
    uint32_t base = (uint32_t)(second ? s->ttbr1 & ~0x3fffu : s->ttbr0 & ~(0x3fffu >> n));

    if (s->ttbcr & (second ? ARM_TTBCR_PD1 : ARM_TTBCR_PD0))
        return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 1);
    if (!load(w, base | w->va >> 20 << 2, descriptor))
        return arm_walk_fault(w, ARM_FAULT_EXTERNAL, 1);
    return true;
}

static bool second_level(struct arm_walk *w, uint32_t at, uint32_t *descriptor)
{
    if (!load(w, at, descriptor))
        return arm_walk_fault(w, ARM_FAULT_EXTERNAL, 2);
    if ((*descriptor & 3) == PAGE_FAULT)
        return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 2);
    return true;
}

/* False: no access. *MANAGER: nothing else is checked (B3.7.3). */
static bool domain_allows(struct arm_walk *w, unsigned level, bool *manager)
{
    unsigned access = w->s->dacr >> 2 * w->domain & 3;

    *manager = access == DOMAIN_MANAGER;
    if (access == DOMAIN_CLIENT || *manager)
        return true;
    return arm_walk_fault(w, ARM_FAULT_DOMAIN, level);
}

static bool found(struct arm_walk *w, uint64_t pa, unsigned size_log, unsigned level)
{
    w->pa = pa;
    w->size_log = (uint8_t)size_log;
    w->level = (uint8_t)level;
    return true;
}

/* ---- without subpages: SCTLR.XP set, and always since ARMv7 ---- */

struct page {
    unsigned ap; /* 3 bits */
    bool xn, pxn;
};

/* What WXN and UWXN take away (B3.7.2). */
static void forbid_writable(const struct arm_state *s, struct arm_rights *r)
{
    if (!(s->features & ARM_F_LPAE))
        return;
    if (s->sctlr & ARM_SCTLR_UWXN && r->user & W)
        r->priv &= (uint8_t)~X;
    if (s->sctlr & ARM_SCTLR_WXN) {
        r->priv &= (uint8_t)(r->priv & W ? ~X : ~0);
        r->user &= (uint8_t)(r->user & W ? ~X : ~0);
    }
}

static bool set_rights(struct arm_walk *w, const struct page *p, bool manager)
{
    const struct arm_state *s = w->s;
    struct arm_rights r;

    if (manager) {
        r = arm_rights_of(R | W | X, R | W | X);
    } else if (s->features & ARM_F_V6K && s->sctlr & ARM_SCTLR_AFE) {
        if (!(p->ap & 1))
            return arm_walk_fault(w, ARM_FAULT_ACCESS_FLAG, w->level);
        r = simple_rights(p->ap);
    } else {
        r = access_rights(s, p->ap);
    }
    if (!manager) {
        r.priv &= (uint8_t)(p->xn || p->pxn ? ~X : ~0);
        r.user &= (uint8_t)(p->xn ? ~X : ~0);
        forbid_writable(s, &r);
    }
    w->rights = w->all = r;
    return true;
}

static bool walk_section(struct arm_walk *w, uint32_t d)
{
    struct page p = {bits(d, 10, 2) | bits(d, 15, 1) << 2, d & 1 << 4, d & 1};
    bool super = d & 1 << 18, manager;
    uint64_t pa = splice(d, w->va, super ? 24 : 20);

    w->domain = super ? 0 : (uint8_t)bits(d, 5, 4);
    w->global = !(d & 1 << 17);
    if (!domain_allows(w, 1, &manager))
        return false;
    if (super)
        pa |= (uint64_t)bits(d, 20, 4) << 32 | (uint64_t)bits(d, 5, 4) << 36;
    found(w, pa, super ? 24 : 20, 1);
    return set_rights(w, &p, manager);
}

static bool walk_page(struct arm_walk *w, uint32_t table, bool pxn)
{
    uint32_t d = 0;
    bool manager;

    if (!second_level(w, (table & ~0x3ffu) | bits(w->va, 12, 8) << 2, &d) ||
        !domain_allows(w, 2, &manager))
        return false;
    bool large = (d & 3) == PAGE_LARGE;
    struct page p = {bits(d, 4, 2) | bits(d, 9, 1) << 2, large ? d & 1 << 15 : d & 1, pxn};

    w->global = !(d & 1 << 11);
    found(w, splice(d, w->va, large ? 16 : 12), large ? 16 : 12, 2);
    return set_rights(w, &p, manager);
}

static bool walk_v6(struct arm_walk *w, uint32_t d)
{
    bool has_pxn = w->s->features & ARM_F_LPAE;

    switch (d & 3) {
    case TYPE_FAULT: return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 1);
    case TYPE_TABLE:
        w->domain = (uint8_t)bits(d, 5, 4);
        return walk_page(w, d, has_pxn && d & 1 << 2);
    case TYPE_SECTION: return walk_section(w, d);
    default: return has_pxn ? walk_section(w, d) : arm_walk_fault(w, ARM_FAULT_TRANSLATION, 1);
    }
}

/* ---- with subpages ---- */

static void subpage_rights(struct arm_walk *w, unsigned ap, bool manager)
{
    w->rights = manager ? arm_rights_of(R | W | X, R | W | X) : access_rights(w->s, ap);
}

/* Four fields of AP for the quarters of a page. */
static void quarter_rights(struct arm_walk *w, uint32_t d, bool manager)
{
    bool small = w->size_log == 12;
    unsigned quarter = bits(w->va, w->size_log - 2u, 2);

    w->all = arm_rights_of(R | W | X, R | W | X);
    for (unsigned n = 0; n < 4; n++) {
        if (!small && n != quarter)
            continue;
        subpage_rights(w, bits(d, 4 + 2 * n, 2), manager);
        w->all.priv &= w->rights.priv;
        w->all.user &= w->rights.user;
    }
    subpage_rights(w, bits(d, 4 + 2 * quarter, 2), manager);
}

/* In coarse tables the third type is a small page with one AP, on CPUs that have it; in fine ones a
 * page of 1 KiB, for which the TLB has no entries. */
static bool walk_last_type(struct arm_walk *w, uint32_t d, bool fine, bool manager)
{
    if (!fine && !(w->s->features & (ARM_F_V6 | ARM_F_XSCALE)))
        return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 2);
    found(w, splice(d, w->va, fine ? 10 : 12), 12, 2);
    subpage_rights(w, bits(d, 4, 2), manager);
    w->all = fine ? arm_rights_of(0, 0) : w->rights;
    return true;
}

static bool walk_v5_page(struct arm_walk *w, uint32_t table)
{
    bool fine = (table & 3) == TYPE_FINE, manager;
    uint32_t at = fine ? (table & ~0xfffu) | bits(w->va, 10, 10) << 2
                       : (table & ~0x3ffu) | bits(w->va, 12, 8) << 2;
    uint32_t d = 0;

    if (!second_level(w, at, &d) || !domain_allows(w, 2, &manager))
        return false;
    switch (d & 3) {
    case PAGE_TINY: return walk_last_type(w, d, fine, manager);
    case PAGE_LARGE: found(w, splice(d, w->va, 16), 16, 2); break;
    default: found(w, splice(d, w->va, 12), 12, 2); break;
    }
    quarter_rights(w, d, manager);
    return true;
}

static bool walk_v5(struct arm_walk *w, uint32_t d)
{
    bool manager;

    w->global = true;
    w->domain = (uint8_t)bits(d, 5, 4);
    switch (d & 3) {
    case TYPE_FAULT: return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 1);
    case TYPE_SECTION:
        if (!domain_allows(w, 1, &manager))
            return false;
        found(w, splice(d, w->va, 20), 20, 1);
        subpage_rights(w, bits(d, 10, 2), manager);
        w->all = w->rights;
        return true;
    default: return walk_v5_page(w, d);
    }
}

bool arm_walk_short(struct arm_walk *w)
{
    uint32_t d = 0;

    if (!first_level(w, &d))
        return false;
    if (w->s->features & ARM_F_V7 || w->s->sctlr & ARM_SCTLR_XP)
        return walk_v6(w, d);
    return walk_v5(w, d);
}
