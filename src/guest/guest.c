#include "guest/guest.h"

#include "exec/hooks.h"

nw_status guest_lift(struct ir_builder *builder, struct ir_region *region, struct lift_request *req)
{
    const struct guest_ops *guest = req->vcpu->guest;

    ir_begin(builder, region);
    region->pc = req->key.pc;
    region->mode = req->key.mode;
    region->pc_offset = guest->pc_offset;
    region->aux_offset = guest->aux_offset;
    region->addr_type = guest->addr_type;
    guest->lift(builder, req);
    ir_end(builder);
    return region->oom ? NW_ERR_NOMEM : NW_OK;
}

void lift_hooks(struct ir_builder *b, struct lift_request *req)
{
    static const struct ir_helper helper = {"hooks", hooks_call,
                                            IR_H_READS | IR_H_EXITS | IR_H_HOOK, IR_VOID, 1};

    const struct hook_site *site = (const struct hook_site *)(uintptr_t)req->site;

    hooks_lift_notes(b, site);
    if (site->n || site->stop)
        ir_call(b, &helper, ir_const64(b, req->site), IR_NONE, IR_NONE, IR_NONE);
}

static ir_val wide(struct ir_builder *b, ir_val v, unsigned bits)
{
    return bits == 64 ? v : ir_zext(b, IR_I64, v);
}

void lift_compare(struct ir_builder *b, struct lift_request *req, ir_val x, ir_val y, unsigned bits,
                  unsigned what)
{
    static const struct ir_helper helper = {"compare_hooks", hooks_compare, IR_H_READS | IR_H_EXITS,
                                            IR_VOID, 4};

    if (!req->compare)
        return;
    ir_call(b, &helper, ir_const64(b, req->compare), wide(b, x, bits), wide(b, y, bits),
            ir_const32(b, bits / 8 | what << 8));
}
