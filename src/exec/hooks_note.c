/* Hooks without a callback: what they count and write down before an instruction. */
#include "exec/engine.h"
#include "exec/hooks.h"
#include "ir/interp.h"

bool hooks_note_is(nw_hook_kind kind)
{
    return kind == NW_HOOK_COUNTER || kind == NW_HOOK_RING || kind == NW_HOOK_COVERAGE;
}

bool hooks_note_applies(const nw_hook_spec *s, bool entry)
{
    return s->kind == NW_HOOK_COVERAGE ? entry : !s->blocks || entry;
}

static struct ir_note note_of(const nw_hook_spec *s, uint64_t pc, bool last)
{
    struct ir_note n = {.pc = pc};

    switch (s->kind) {
    case NW_HOOK_COUNTER:
        n.kind = IR_NOTE_COUNT;
        n.target = s->counter;
        break;
    case NW_HOOK_COVERAGE:
        /* Addresses of blocks spread over the map; half of the one before, so that an edge differs
         * from its reverse and from that of a block to itself. */
        n.kind = IR_NOTE_COVER;
        n.target = s->map;
        n.mask = s->map_size - 1;
        n.place = (uint32_t)((pc * 0x9e3779b97f4a7c15u) >> 32);
        n.moves = last;
        break;
    default:
        n.kind = IR_NOTE_RING;
        n.target = s->ring;
        n.mask = (uint32_t)(s->ring->size - 1);
        break;
    }
    return n;
}

/* Is the Nth of some hooks in order the last of NW_HOOK_COVERAGE? */
static bool is_last(struct nw_hook *const *hook, uint32_t n, uint32_t count)
{
    return n + 1 == count || hook[n + 1]->spec.kind != NW_HOOK_COVERAGE;
}

void hooks_lift_notes(struct ir_builder *b, const struct hook_site *site)
{
    struct nw_hook *const *hook = site->hook + site->n;

    for (uint32_t n = 0; n < site->notes; n++)
        ir_note(b, note_of(&hook[n]->spec, site->pc, is_last(hook, n, site->notes)));
}

void hooks_note_now(struct nw_vcpu *vcpu, const struct hook_site *site, uint32_t n)
{
    struct ir_note note = note_of(&site->hook[n]->spec, site->pc, is_last(site->hook, n, site->n));

    ir_note_run(vcpu, &note);
}
