/* Long descriptors: ARM DDI 0406C B3.6. */
#include "guest/arm/control.h"
#include "guest/arm/mmu.h"

#define R NW_READ
#define W NW_WRITE
#define X NW_EXEC

#define BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))
#define ADDRESS         BITS(ARM_PHYSICAL_BITS - 1, 12)

enum { VALID = 1, TABLE = 2 }; /* TABLE at the last level: a page */
enum {
    ATTR_USER = 1 << 6,      /* AP[1] */
    ATTR_READ_ONLY = 1 << 7, /* AP[2] */
    ATTR_ACCESSED = 1 << 10,
    ATTR_LOCAL = 1 << 11
};
#define ATTR_PXN        (1ull << 53)
#define ATTR_XN         (1ull << 54)
#define TABLE_PXN       (1ull << 59)
#define TABLE_XN        (1ull << 60)
#define TABLE_NO_USER   (1ull << 61)
#define TABLE_READ_ONLY (1ull << 62)

/* What the tables on the way forbid (B3.6.2). */
struct limits {
    bool no_user, read_only, xn, pxn;
};

/* Which of the two tables, and the number of address bits that it translates (B3.6.4). */
static bool choose(struct arm_walk *w, uint64_t *base, unsigned *width)
{
    const struct arm_state *s = w->s;
    unsigned t0 = s->ttbcr & 7, t1 = s->ttbcr >> 16 & 7;
    bool low = !t0 || !(w->va >> (32 - t0));
    bool high = t1 ? !(~w->va >> (32 - t1)) : t0 && !low;

    if (high) {
        *base = s->ttbr1;
        *width = 32 - t1;
        return !(s->ttbcr & ARM_TTBCR_EPD1);
    }
    *base = s->ttbr0;
    *width = 32 - t0;
    return low && !(s->ttbcr & ARM_TTBCR_EPD0);
}

static bool load(struct arm_walk *w, uint64_t at, uint64_t *descriptor)
{
    if (!mmu_walk_read(w->vcpu, at, 8, descriptor))
        return false;
    if (w->s->sctlr & ARM_SCTLR_EE)
        *descriptor = __builtin_bswap64(*descriptor);
    return true;
}

static void take_limits(struct limits *l, uint64_t d)
{
    l->no_user |= (d & TABLE_NO_USER) != 0;
    l->read_only |= (d & TABLE_READ_ONLY) != 0;
    l->xn |= (d & TABLE_XN) != 0;
    l->pxn |= (d & TABLE_PXN) != 0;
}

/* B3.7.1, B3.7.2 */
static void set_rights(struct arm_walk *w, uint64_t d, const struct limits *l)
{
    uint32_t sctlr = w->s->sctlr;
    bool writable = !(d & ATTR_READ_ONLY) && !l->read_only;
    bool user = d & ATTR_USER && !l->no_user;
    bool xn = d & ATTR_XN || l->xn || (writable && sctlr & ARM_SCTLR_WXN);
    bool pxn = d & ATTR_PXN || l->pxn || (writable && user && sctlr & ARM_SCTLR_UWXN);
    unsigned data = writable ? R | W : R;

    w->rights.priv = (uint8_t)(data | (xn || pxn ? 0 : X));
    w->rights.user = (uint8_t)(user ? data | (xn ? 0 : X) : 0);
    w->all = w->rights;
}

static bool leaf(struct arm_walk *w, uint64_t d, unsigned shift, unsigned level,
                 const struct limits *l)
{
    uint64_t offset = BITS(shift - 1, 0);

    if (!(d & ATTR_ACCESSED))
        return arm_walk_fault(w, ARM_FAULT_ACCESS_FLAG, level);
    w->pa = (d & ADDRESS & ~offset) | (w->va & offset);
    w->size_log = (uint8_t)shift;
    w->global = !(d & ATTR_LOCAL);
    w->level = (uint8_t)level;
    w->memory = (uint8_t)((d >> 2 & 7) | (d >> 8 & 3) << 3);
    set_rights(w, d, l);
    return true;
}

bool arm_walk_long(struct arm_walk *w)
{
    struct limits limits = {0};
    uint64_t base = 0, d = 0;
    unsigned width = 0;

    if (!choose(w, &base, &width))
        return arm_walk_fault(w, ARM_FAULT_TRANSLATION, 1);
    unsigned level = width > 30 ? 1 : 2;
    /* The first table has as many entries as it needs, and is aligned to its size. */
    unsigned shift = 39 - 9 * level, top = width;
    base &= BITS(ARM_PHYSICAL_BITS - 1, width - shift + 3);

    for (;; level++, shift -= 9) {
        uint64_t index = (w->va & BITS(top - 1, 0)) >> shift;

        if (!load(w, base + index * 8, &d))
            return arm_walk_fault(w, ARM_FAULT_EXTERNAL, level);
        if (!(d & VALID) || (level == 3 && !(d & TABLE)))
            return arm_walk_fault(w, ARM_FAULT_TRANSLATION, level);
        if (level == 3 || !(d & TABLE))
            return leaf(w, d, shift, level, &limits);
        take_limits(&limits, d);
        base = d & ADDRESS;
        top = shift;
    }
}
