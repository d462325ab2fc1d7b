/* Hooks without a callback: what they count and write down before an instruction. */
#include "exec/engine.h"
#include "exec/hooks.h"

/* Several vCPUs may share what is written: each write is whole, some may be lost. */

static void count(nw_vcpu *self, uint64_t pc, uint32_t size, void *user)
{
    uint64_t *counter = (uint64_t *)(void *)self;

    (void)pc, (void)size, (void)user;
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* The entry before the position: who sees the position sees the entry. */
static void write_down(nw_vcpu *self, uint64_t pc, uint32_t size, void *user)
{
    nw_ring *ring = (nw_ring *)(void *)self;
    uint64_t at = __atomic_load_n(&ring->position, __ATOMIC_RELAXED);

    (void)size, (void)user;
    __atomic_store_n(&ring->entries[at & (ring->size - 1)], pc, __ATOMIC_RELAXED);
    __atomic_store_n(&ring->position, at + 1, __ATOMIC_RELEASE);
}

/* Addresses of blocks spread over the map; half of the one before, so that an edge differs from its
 * reverse and from that of a block to itself. */
static void cover(struct nw_vcpu *vcpu, const nw_hook_spec *s, uint64_t pc)
{
    uint64_t here = (pc * 0x9e3779b97f4a7c15u) >> 32;
    uint8_t *at = &s->map[(here ^ vcpu->exec->covered) & (s->map_size - 1)];

    __atomic_store_n(at, (uint8_t)(__atomic_load_n(at, __ATOMIC_RELAXED) + 1), __ATOMIC_RELAXED);
    vcpu->exec->covered = here >> 1;
}

bool hooks_note_is(nw_hook_kind kind)
{
    return kind == NW_HOOK_COUNTER || kind == NW_HOOK_RING || kind == NW_HOOK_COVERAGE;
}

bool hooks_note_applies(const nw_hook_spec *s, bool entry)
{
    return s->kind == NW_HOOK_COVERAGE ? entry : !s->blocks || entry;
}

nw_code_fn hooks_note_direct(const nw_hook_spec *s, void **self)
{
    switch (s->kind) {
    case NW_HOOK_COUNTER: *self = s->counter; return count;
    case NW_HOOK_RING: *self = s->ring; return write_down;
    default: return NULL;
    }
}

void hooks_note(struct nw_vcpu *vcpu, const nw_hook_spec *s, uint64_t pc)
{
    void *self;
    nw_code_fn direct = hooks_note_direct(s, &self);

    if (direct)
        direct(self, pc, 0, NULL);
    else
        cover(vcpu, s, pc);
}
