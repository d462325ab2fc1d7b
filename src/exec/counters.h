/* Counters behind nw_engine_stats that a vCPU's own thread keeps; see vcpu_count. */
#ifndef EXEC_COUNTERS_H
#define EXEC_COUNTERS_H

enum vcpu_counter { COUNT_DISPATCHES, COUNT_TLB_MISSES, COUNT_SMC_FAULTS, COUNTERS };

#endif
