/* fork() of a process that has an engine: the child's engine must not share the code buffer, which
 * is one file mapped by both. Guest memory is private or shared as it was mapped.
 *
 *   engine_fork_prepare(engine);
 *   pid = fork();
 *   if (pid) engine_fork_parent(engine); else engine_fork_child(engine, vcpu);
 *
 * Called on one thread that is not running a vCPU at that moment. Between prepare and its
 * counterpart the engine's locks are held. */
#ifndef EXEC_FORK_H
#define EXEC_FORK_H

#include <narwhal/narwhal.h>

void engine_fork_prepare(nw_engine *);
/* Also after a fork that failed. */
void engine_fork_parent(nw_engine *);
/* Keeps SELF (may be null) and forgets the other vCPUs, whose threads the child does not have.
 * NW_ERR_NOMEM, NW_ERR_HOST: the engine cannot go on in the child. */
nw_status engine_fork_child(nw_engine *, nw_vcpu *self);

#endif
