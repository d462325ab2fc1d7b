/* From virtual to physical addresses, and what becomes of refusals: ARM DDI 0406C B3. */
#include "guest/arm/mmu.h"

#include "exec/engine.h"
#include "exec/memory.h"
#include "guest/arm/control.h"
#include <narwhal/arm.h>

#define FCSE_LIMIT 0x02000000u

/* Fault status (B3.13.3): long descriptors have a format of their own. */
#define FSR_LONG  (1u << 9)
#define FSR_WRITE (1u << 11)

#define PAR_NS   (1u << 9) /* non-secure */
#define PAR_LONG (1u << 11)

static bool is_user(const struct arm_state *s)
{
    return (s->control & 0x1f) == ARM_USR;
}

static bool is_long(const struct arm_state *s)
{
    return s->features & ARM_F_LPAE && s->ttbcr & ARM_TTBCR_EAE;
}

unsigned arm_mmu_index(const struct nw_vcpu *vcpu)
{
    return !is_user((const struct arm_state *)vcpu->state);
}

/* The modified virtual address (DDI 0100I B8). */
static uint32_t modified(const struct arm_state *s, uint32_t va)
{
    return va < FCSE_LIMIT ? va + s->fcse : va;
}

/* ---- fault status ---- */

static uint32_t status_long(enum arm_fault fault, unsigned level)
{
    static const uint8_t codes[] = {[ARM_FAULT_TRANSLATION] = 0x04,
                                    [ARM_FAULT_ACCESS_FLAG] = 0x08,
                                    [ARM_FAULT_PERMISSION] = 0x0c,
                                    [ARM_FAULT_EXTERNAL] = 0x14,
                                    [ARM_FAULT_DOMAIN] = 0x3c};

    return FSR_LONG | (codes[fault] + level);
}

static uint32_t status_short(enum arm_fault fault, unsigned level, unsigned domain)
{
    static const uint8_t codes[][2] = {
        [ARM_FAULT_TRANSLATION] = {0x5, 0x7}, [ARM_FAULT_ACCESS_FLAG] = {0x3, 0x6},
        [ARM_FAULT_DOMAIN] = {0x9, 0xb},      [ARM_FAULT_PERMISSION] = {0xd, 0xf},
        [ARM_FAULT_EXTERNAL] = {0xc, 0xe},    [ARM_FAULT_BACKGROUND] = {0, 0}};

    return codes[fault][level - 1] | domain << 4;
}

static uint32_t status(const struct arm_walk *w)
{
    return is_long(w->s) ? status_long(w->fault, w->level)
                         : status_short(w->fault, w->level, w->domain);
}

/* ---- translation ---- */

static bool walk(struct arm_walk *w)
{
    bool ok;

    if (w->s->features & ARM_F_PMSA)
        return arm_walk_pmsa(w);
    mmu_walk_begin(w->vcpu);
    ok = is_long(w->s) ? arm_walk_long(w) : arm_walk_short(w);
    mmu_walk_end(w->vcpu);
    return ok;
}

/* False: refused, w->fault. */
static bool look_up(struct arm_walk *w, bool user, nw_access access)
{
    static const uint8_t needs[] = {
        [NW_ACCESS_READ] = NW_READ, [NW_ACCESS_WRITE] = NW_WRITE, [NW_ACCESS_FETCH] = NW_EXEC};

    if (!walk(w))
        return false;
    if (!((user ? w->rights.user : w->rights.priv) & needs[access]))
        return arm_walk_fault(w, ARM_FAULT_PERMISSION, w->level);
    return true;
}

bool arm_translate(struct nw_vcpu *vcpu, uint64_t gva, unsigned mmu, nw_access access,
                   struct mmu_page *out)
{
    const struct arm_state *s = arm_of(vcpu);
    struct arm_walk w = {.vcpu = vcpu, .s = s, .va = modified(s, (uint32_t)gva)};
    bool user = access == NW_ACCESS_FETCH ? is_user(s) : !mmu;

    if (!(s->sctlr & ARM_SCTLR_M)) {
        *out = (struct mmu_page){.gpa = w.va, .rights = NW_RWX, .note = PAGE_BITS | TLB_GLOBAL};
        return true;
    }
    if (!look_up(&w, user, access)) {
        out->code = status(&w);
        out->absent = w.fault == ARM_FAULT_TRANSLATION || w.fault == ARM_FAULT_BACKGROUND;
        return false;
    }
    *out = (struct mmu_page){.gpa = w.pa,
                             .rights = user ? w.all.user : w.all.priv,
                             .note = w.size_log | (w.global ? TLB_GLOBAL : 0u)};
    return true;
}

/* The attributes of memory in PAR: MAIR's and shareability. */
static uint64_t memory_attributes(const struct arm_walk *w)
{
    uint64_t mair = w->s->prrr | (uint64_t)w->s->nmrr << 32;

    return (mair >> 8 * (w->memory & 7)) << 56 | (uint64_t)(w->memory >> 3) << 7;
}

/* PAR, 32 bits of it with short descriptors (B4.1.112). */
uint64_t arm_mmu_probe(struct nw_vcpu *vcpu, uint32_t va, bool write, bool user)
{
    const struct arm_state *s = arm_of(vcpu);
    struct arm_walk w = {.vcpu = vcpu, .s = s, .va = modified(s, va), .pa = modified(s, va)};
    bool ok =
        !(s->sctlr & ARM_SCTLR_M) || look_up(&w, user, write ? NW_ACCESS_WRITE : NW_ACCESS_READ);

    if (is_long(s)) {
        uint32_t code = ok ? 0 : status(&w) & 0x3f;
        return ok ? (w.pa & ~0xfffull) | memory_attributes(&w) | PAR_LONG | PAR_NS
                  : PAR_LONG | PAR_NS | code << 1 | 1;
    }
    if (!ok)
        return (status(&w) & 0xf) << 1 | 1;
    if (w.size_log == 24 && s->features & ARM_F_V7)
        return (w.pa & 0xff000000) | (w.pa >> 32 & 0xff) << 16 | PAR_NS | 1 << 1;
    return (w.pa & 0xfffff000) | PAR_NS;
}

/* ---- faults ---- */

/* Of a fault that is none of translation. */
static uint32_t other_status(const struct arm_state *s, nw_fault fault)
{
    switch (fault) {
    case NW_FAULT_ALIGN: return is_long(s) ? FSR_LONG | 0x21 : 0x01;
    case NW_FAULT_PERM:
        return is_long(s) ? status_long(ARM_FAULT_PERMISSION, 1)
                          : status_short(ARM_FAULT_PERMISSION, 1, 0);
    default: return is_long(s) ? FSR_LONG | 0x10 : 0x08; /* synchronous external abort */
    }
}

void arm_fault_registers(struct nw_vcpu *vcpu)
{
    struct arm_state *s = arm_of(vcpu);
    const struct vcpu_exc *e = &vcpu->exc;
    uint32_t fsr = e->mmu ? e->payload : other_status(s, (nw_fault)e->fault);

    if (e->access == NW_ACCESS_FETCH) {
        s->ifsr = is_long(s) ? fsr : fsr & ~0xf0u;
        s->ifar = modified(s, (uint32_t)e->addr);
        return;
    }
    s->dfsr = fsr | (e->access == NW_ACCESS_WRITE && s->features & ARM_F_V6 ? FSR_WRITE : 0);
    s->dfar = modified(s, (uint32_t)e->addr);
}

void arm_abort(struct nw_vcpu *vcpu)
{
    struct vcpu_exc *e = &vcpu->exc;

    if (!arm_of(vcpu)->bare || (!e->mmu && e->fault != NW_FAULT_ALIGN))
        return;
    arm_fault_registers(vcpu);
    if (!e->mmu)
        return;
    e->kind = EXC_GUEST +
              (e->access == NW_ACCESS_FETCH ? NW_ARM_EXC_PREFETCH_ABORT : NW_ARM_EXC_DATA_ABORT);
}

/* ---- flushing ---- */

/* Until the MMU or the FCSE is first used a CPU goes without. */
void arm_mmu_changed(struct nw_vcpu *vcpu)
{
    const struct arm_state *s = arm_of(vcpu);

    if (NW_UNLIKELY(!vcpu->mmu) && (s->sctlr & ARM_SCTLR_M || s->fcse))
        engine_enable_mmu(vcpu->engine);
    if (vcpu->mmu)
        mmu_flush(vcpu);
}

void arm_mmu_changed_space(struct nw_vcpu *vcpu)
{
    /* Before ARMv6 there are no address space identifiers. */
    if (arm_of(vcpu)->features & ARM_F_V6)
        mmu_flush_local(vcpu);
    else
        mmu_flush(vcpu);
}

void arm_mmu_flush_everywhere(struct nw_vcpu *vcpu)
{
    engine_flush_mmus(vcpu->engine);
}
