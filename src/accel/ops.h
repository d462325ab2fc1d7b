/* The execution seam: what runs a vCPU. Every accelerator works on the one canonical guest state
 * (struct nw_vcpu.state) and address space (struct mem_space), so that a vCPU can change hands
 * between two runs. */
#ifndef ACCEL_OPS_H
#define ACCEL_OPS_H

#include "exec/vcpu.h"

struct accel_ops {
    const char *name;
    /* Makes a vCPU in the guest's reset state, known to the engine; and takes it back. */
    nw_status (*vcpu_create)(nw_engine *, nw_vcpu **out);
    void (*vcpu_destroy)(nw_vcpu *);
    /* Runs until an exit, or until LIMIT instructions have completed (0: no limit). On return the
     * canonical state is exact. NW_ERR_BUSY when the vCPU runs already. */
    nw_status (*run)(nw_vcpu *, uint64_t limit, nw_exit *exit);
    /* Makes the vCPU look at REQUEST (enum vcpu_request) soon. Any thread, any signal handler. */
    void (*kick)(nw_vcpu *, uint32_t request);
};

/* The dynamic binary translator, and the IR interpreter in its place. */
extern const struct accel_ops accel_dbt;

#endif
