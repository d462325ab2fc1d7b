/* Protection units: addresses stay what they are, regions say who may do what. Eight regions of the
 * ARM946E-S (DDI 0201D 2.3), sixteen with subregions of PMSAv7 (ARM DDI 0406C B5). */
#include "guest/arm/control.h"
#include "guest/arm/cp15.h"
#include "guest/arm/mmu.h"

#define R NW_READ
#define W NW_WRITE
#define X NW_EXEC

static const struct arm_rights none;

/* A region's address bits. */
static bool within(uint32_t va, uint32_t base, unsigned size_log)
{
    return size_log >= 32 || (va ^ base) >> size_log == 0;
}

/* ---- ARM946E-S: the register of a region is its base, bits 5..1 its size, bit 0 enables it ----
 */

static bool enabled_946(uint32_t region, unsigned *size_log)
{
    *size_log = (region >> 1 & 31) + 1;
    return region & 1;
}

/* Four bits of access for each region, of data and of instructions. */
static struct arm_rights rights_946(unsigned ap, unsigned reads)
{
    switch (ap) {
    case 1: return arm_rights_of(reads | W, 0);
    case 2: return arm_rights_of(reads | W, reads);
    case 3: return arm_rights_of(reads | W, reads | W);
    case 5: return arm_rights_of(reads, 0);
    case 6: return arm_rights_of(reads, reads);
    default: return none;
    }
}

static bool walk_946(struct arm_walk *w, bool *fine)
{
    const struct arm_state *s = w->s;
    int hit = -1;

    for (int n = 0; n < 8; n++) {
        unsigned size_log;

        if (!enabled_946(s->mpu[n][0], &size_log))
            continue;
        *fine |= size_log < PAGE_BITS;
        if (within(w->va, s->mpu[n][0], size_log))
            hit = n;
    }
    if (hit < 0)
        return arm_walk_fault(w, ARM_FAULT_BACKGROUND, 1);
    struct arm_rights data = rights_946(s->impl[ARM_IMPL_PMSA_DATA] >> 4 * hit & 15, R);
    struct arm_rights code = rights_946(s->impl[ARM_IMPL_PMSA_CODE] >> 4 * hit & 15, X);

    w->rights = arm_rights_of(data.priv | (code.priv & X), data.user | (code.user & X));
    return true;
}

/* ---- PMSAv7: DRBAR, DRSR, DRACR ---- */

enum { BASE, SIZE, ACCESS };

static bool matches_v7(uint32_t va, const uint32_t region[3], bool *fine)
{
    unsigned size_log = (region[SIZE] >> 1 & 31) + 1;
    uint32_t disabled = region[SIZE] >> 8 & 0xff;

    if (!(region[SIZE] & 1) || size_log < 2 || (size_log < 32 && region[BASE] << (32 - size_log)))
        return false;
    *fine |= size_log < PAGE_BITS || (disabled && size_log < PAGE_BITS + 3);
    if (!within(va, region[BASE], size_log))
        return false;
    return size_log < 8 || !(disabled >> ((va - region[BASE]) >> (size_log - 3) & 7) & 1);
}

static struct arm_rights rights_v7(uint32_t access)
{
    unsigned x = access & 1 << 12 ? 0 : X;

    switch (access >> 8 & 7) {
    case 1: return arm_rights_of(R | W | x, 0);
    case 2: return arm_rights_of(R | W | x, R | x);
    case 3: return arm_rights_of(R | W | x, R | W | x);
    case 5: return arm_rights_of(R | x, 0);
    case 6: return arm_rights_of(R | x, R | x);
    default: return none;
    }
}

/* Where no region is privileged modes may have the map of a unit that is off (B5.2). */
static struct arm_rights background(const struct arm_state *s, uint32_t va)
{
    bool code = va < 0x80000000 || (va >= 0xf0000000 && s->sctlr & ARM_SCTLR_V);

    return arm_rights_of(code ? R | W | X : R | W, 0);
}

static bool walk_v7(struct arm_walk *w, bool *fine)
{
    const struct arm_state *s = w->s;
    int hit = -1;

    for (int n = 0; n < 16; n++)
        if (matches_v7(w->va, s->mpu[n], fine))
            hit = n;
    if (hit >= 0)
        w->rights = rights_v7(s->mpu[hit][ACCESS]);
    else if (s->sctlr & ARM_SCTLR_BR)
        w->rights = background(s, w->va);
    else
        return arm_walk_fault(w, ARM_FAULT_BACKGROUND, 1);
    return true;
}

bool arm_walk_pmsa(struct arm_walk *w)
{
    bool fine = false;
    bool ok = w->s->features & ARM_F_V7 ? walk_v7(w, &fine) : walk_946(w, &fine);

    w->pa = w->va;
    w->size_log = PAGE_BITS;
    w->level = 1;
    w->global = true;
    w->all = fine ? none : w->rights;
    return ok;
}
