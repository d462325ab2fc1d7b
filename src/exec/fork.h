/* fork() of a process that has engines, as fuzzers and user mode do it: parent and child both go on with
 * all of them. The child gets a code buffer of its own, and fresh locks. Handlers of pthread_atfork do it, for
 * the engines on the list; a vCPU that another thread was running is busy for ever in the child. */
#ifndef EXEC_FORK_H
#define EXEC_FORK_H

#include <narwhal/narwhal.h>

/* Onto the list, and off it. NW_ERR_NOMEM: the process takes no more handlers. */
nw_status fork_enlist(nw_engine *);
void fork_delist(nw_engine *);

/* In the child: forgets all vCPUs but SELF, whose threads it does not have. */
void fork_keep_only(nw_engine *, nw_vcpu *self);

#endif
