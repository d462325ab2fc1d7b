/* vCPU objects and running them, for src/api. */
#ifndef EXEC_VCPU_PRIV_H
#define EXEC_VCPU_PRIV_H

#include "exec/engine.h"

/* One that is on no list. */
nw_status vcpu_make(struct nw_engine *, struct nw_vcpu **out);
nw_status vcpu_create(struct nw_engine *, struct nw_vcpu **out);
/* Not running; takes it off the engine's list. */
void vcpu_destroy(struct nw_vcpu *);
nw_status vcpu_run(struct nw_vcpu *, uint64_t limit, nw_exit *exit);
uint64_t vcpu_pc(const struct nw_vcpu *);
/* Frees one that is on no list. */
void vcpu_free(struct nw_vcpu *);

#endif
