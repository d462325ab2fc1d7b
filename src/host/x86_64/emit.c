/* From a region of IR to a block of code. */
#include "host/x86_64/emit.h"

#include <stdlib.h>

emit_fn *const emit_table[IR_OP_COUNT] = {
#define IR_OP(name, operands, result, effects) emit_##name,
#include "ir/ops.inc"
#undef IR_OP
};

struct host_emitter *host_emitter_new(void)
{
    struct host_emitter *e = calloc(1, sizeof *e);
    /* Asked once: in a virtual machine CPUID takes longer than translating a block. */
    if (e)
        e->host_features = host_features();
    return e;
}

void host_emitter_free(struct host_emitter *e)
{
    if (!e)
        return;
    VEC_FREE(&e->code);
    VEC_FREE(&e->values);
    VEC_FREE(&e->stubs);
    VEC_FREE(&e->labels);
    VEC_FREE(&e->snapshots);
    VEC_FREE(&e->colds);
    free(e);
}

static bool reset_values(struct host_emitter *e, uint32_t n)
{
    const struct value fresh = {.home = NO_HOME, .spill = NO_SPILL, .pin = NO_PIN};
    if (n > e->values.cap) {
        struct value *more = realloc(e->values.at, 2 * n * sizeof *more);
        if (!more)
            return false;
        e->values.at = more;
        e->values.cap = 2 * n;
    }
    for (uint32_t v = 0; v < n; v++)
        e->values.at[v] = fresh;
    e->values.len = n;
    return true;
}

static bool reset_labels(struct host_emitter *e, uint32_t n)
{
    const struct label fresh = {.at = NO_REF, .places = NO_REF, .fields = NO_REF, .stored = ~0u};
    VEC_CLEAR(&e->labels);
    while (e->labels.len < n)
        if (!VEC_PUSH(&e->labels, fresh))
            return false;
    return true;
}

static void reset_pins(struct host_emitter *e)
{
    e->pinned = e->stored = 0;
    e->temps = TEMP_REGS;
    e->all_age = 0;
    memset(e->pin_at, NO_PIN, sizeof e->pin_at);
    for (unsigned n = 0; n < NPINREGS; n++) {
        unsigned r = pin_regs[n];
        e->pin_age[r] = 0;
        if (n >= pin_count(e->guest)) {
            e->temps |= 1u << r;
            continue;
        }
        const struct guest_pin *pin = &e->guest->pins[n];
        e->pinned |= 1u << r;
        e->pin_offset[r] = pin->offset;
        e->pin_type[r] = pin->type;
        memset(e->pin_at + pin->offset / 4, (int)r, ir_type_size(pin->type) / 4);
    }
}

static bool reset(struct host_emitter *e)
{
    e->oom = e->full = e->keep = e->unreachable = e->settled = e->pc_put = false;
    e->insn = NO_REF;
    e->made = 0;
    e->ncounted = e->ncold = e->naligned = e->nchecked = 0;
    e->locked = 0;
    VEC_CLEAR(&e->stubs);
    VEC_CLEAR(&e->snapshots);
    VEC_CLEAR(&e->colds);
    VEC_CLEAR(&e->out->sites);
    VEC_CLEAR(&e->out->insn_offsets);
    for (uint32_t n = 0; n < e->r->exits.len; n++) {
        e->out->exits[n].jump = e->out->exits[n].stub = e->out->exits[n].entry = 0;
        e->out->exits[n].target = (struct block_key){e->r->exits.at[n].pc, e->r->exits.at[n].mode};
    }
    reset_pins(e);
    places_init(e);
    return widths_resolve(e) && reset_values(e, e->r->insns.len) && reset_labels(e, e->r->nlabels);
}

static nw_status emit_records(struct host_emitter *e)
{
    for (ir_val v = 0; v < e->r->insns.len; v++) {
        const struct ir_insn *i = insn_of(e, v);
        if (note_ends_piece(e, v))
            e->ncounted = 0;
        if (e->unreachable && i->op != IR_label && i->op != IR_insn)
            continue;
        if (i->op != IR_put && e->values.at[v].flags)
            continue; /* made where it is needed */
        if (!emit_room(e))
            return NW_ERR_RANGE;
        e->cur = v;
        e->locked = 0;
        emit_table[i->op](e, v, i);
        if (e->full)
            return NW_ERR_RANGE;
    }
    return NW_OK;
}

nw_status host_emit(struct host_emitter *e, const struct guest_ops *guest,
                    const struct ir_region *region, const struct host_options *options,
                    const struct host_runtime *runtime, uint32_t offset, struct host_buffer buf,
                    struct host_code *out)
{
    e->a = (struct asm_buf){buf.rw, buf.rw, buf.rw + buf.size, 0};
    e->r = region;
    e->guest = guest;
    e->opt = options;
    e->features = options->baseline ? 0 : e->host_features;
    e->rt = runtime;
    e->out = out;
    e->offset = offset;
    if (buf.size < 2 * ASM_SLACK)
        return NW_ERR_RANGE;
    if (!reset(e))
        return NW_ERR_NOMEM;
    emit_prepare(e);
    carry_begin(e);
    TRY(emit_records(e));
    TRY(stubs_emit(e));
    if (e->oom)
        return NW_ERR_NOMEM;
    out->size = asm_pos(&e->a);
    return NW_OK;
}
