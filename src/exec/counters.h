/* Counters behind nw_engine_stats that a vCPU's own thread keeps. */
#ifndef EXEC_COUNTERS_H
#define EXEC_COUNTERS_H

#include "exec/vcpu.h"

enum vcpu_counter { COUNT_DISPATCHES, COUNT_TLB_MISSES, COUNT_SMC_FAULTS, COUNTERS };

/* The vCPU's own thread only. */
void counter_add(struct nw_vcpu *, enum vcpu_counter);

#endif
