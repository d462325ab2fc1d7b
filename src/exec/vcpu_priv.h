/* vCPU objects and running them, for src/api. */
#ifndef EXEC_VCPU_PRIV_H
#define EXEC_VCPU_PRIV_H

#include <string.h>
#include "exec/engine.h"

/* One that is on no list. */
nw_status vcpu_make(struct nw_engine *, struct nw_vcpu **out);
nw_status vcpu_create(struct nw_engine *, struct nw_vcpu **out);
/* Not running; takes it off the engine's list. */
void vcpu_destroy(struct nw_vcpu *);
nw_status vcpu_run(struct nw_vcpu *, uint64_t limit, nw_exit *exit);
/* A copy of a size that is not known here would be read back before it is complete. */
static inline uint64_t vcpu_pc(const struct nw_vcpu *vcpu)
{
    const uint8_t *at = vcpu->state + vcpu->guest->pc_offset;
    uint64_t wide;
    uint32_t narrow;

    if (vcpu->guest->addr_type == IR_I64)
        return memcpy(&wide, at, sizeof wide), wide;
    return memcpy(&narrow, at, sizeof narrow), narrow;
}
/* Frees one that is on no list. */
void vcpu_free(struct nw_vcpu *);

#endif
