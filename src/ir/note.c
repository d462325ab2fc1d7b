/* What the operation NOTE does. */
#include <narwhal/hook.h>
#include "exec/vcpu.h"
#include "ir/interp.h"

static void count(uint64_t *n)
{
    __atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

static void cover(struct nw_vcpu *vcpu, const struct ir_note *n)
{
    uint8_t *at = (uint8_t *)n->target + ((n->place ^ vcpu->covered) & n->mask);

    __atomic_store_n(at, (uint8_t)(__atomic_load_n(at, __ATOMIC_RELAXED) + 1), __ATOMIC_RELAXED);
    if (n->moves)
        vcpu->covered = n->place >> 1;
}

/* The entry before the position: who sees the position sees the entry. */
static void write_down(const struct ir_note *n)
{
    nw_ring *ring = n->target;
    uint64_t at = __atomic_load_n(&ring->position, __ATOMIC_RELAXED);

    __atomic_store_n(&ring->entries[at & n->mask], n->pc, __ATOMIC_RELAXED);
    __atomic_store_n(&ring->position, at + 1, __ATOMIC_RELEASE);
}

void ir_note_run(struct nw_vcpu *vcpu, const struct ir_note *n)
{
    switch (n->kind) {
    case IR_NOTE_COUNT: count(n->target); break;
    case IR_NOTE_COVER: cover(vcpu, n); break;
    default: write_down(n); break;
    }
}
