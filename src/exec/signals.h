/* SIGSEGV and SIGBUS: which of them are a guest's, and what happens to the others.
 *
 * The disposition of these two signals is the one thing the library changes process-wide: the first
 * engine with fastmem, or with a mapped file, installs a handler and keeps what was there before;
 * every fault that is not a guest access goes on to that. Per thread it keeps which vCPU runs. */
#ifndef EXEC_SIGNALS_H
#define EXEC_SIGNALS_H

#include <setjmp.h>
#include "exec/vcpu.h"

/* Installs the handlers, or puts them back on top. NW_ERR_HOST when the host refuses. */
nw_status signals_install(void);
/* In the child of a fork. */
void signals_fork_child(void);

struct signals_thread {
    struct nw_vcpu *vcpu;
    sigjmp_buf *guard;
    const void *passed; /* the signal context that was passed on last and has not come back, */
    uintptr_t depth;    /* from where on the stack, */
    unsigned times;     /* and how often, ever deeper */
};
extern _Thread_local struct signals_thread signals_here __attribute__((tls_model("initial-exec")));

/* The vCPU that runs on this thread, or null. */
static inline struct nw_vcpu *signals_vcpu(void)
{
    return signals_here.vcpu;
}

/* What this thread is known by as long as it lives. */
static inline uintptr_t signals_thread(void)
{
    return (uintptr_t)&signals_here;
}

static inline void signals_set_vcpu(struct nw_vcpu *vcpu)
{
    signals_here.vcpu = vcpu;
    signals_here.passed = NULL;
}

/* Where a fault of the library's own guarded accesses on this thread goes; null: nowhere. */
sigjmp_buf *signals_guard(void);
void signals_set_guard(sigjmp_buf *);

#endif
