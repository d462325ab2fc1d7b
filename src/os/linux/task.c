/* Guest threads and their run loop. */
#include "os/linux/task.h"

#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include "os/linux/abi.h"
#include "os/linux/dispatch.h"
#include "os/linux/signal.h"

__thread struct linux_task *linux_current;

void linux_warn(const char *format, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    fprintf(stderr, "narwhal: %s\n", line);
}

static bool take_slot(struct linux_process *p, unsigned *slot)
{
    bool found = false;
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < ARRAY_LEN(p->slots) && !found; i++) {
        if (p->slots[i] == UINT64_MAX)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~p->slots[i]);
        p->slots[i] |= 1ull << bit;
        *slot = i * 64 + bit;
        found = true;
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void give_slot(struct linux_process *p, unsigned slot)
{
    pthread_mutex_lock(&p->lock);
    p->slots[slot / 64] &= ~(1ull << slot % 64);
    pthread_mutex_unlock(&p->lock);
}

struct linux_task *linux_task_new(struct linux_process *p)
{
    struct linux_task *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->process = p;
    if (!take_slot(p, &t->slot)) {
        free(t);
        return NULL;
    }
    if (nw_vcpu_create(p->engine, &t->vcpu) != NW_OK) {
        give_slot(p, t->slot);
        free(t);
        return NULL;
    }
    t->vcpu->owner = t;
    return t;
}

void linux_task_free(struct linux_task *t)
{
    nw_vcpu_destroy(t->vcpu);
    give_slot(t->process, t->slot);
    free(t);
}

void linux_task_enlist(struct linux_task *t)
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->lock);
    t->next = p->tasks;
    p->tasks = t;
    p->ntasks++;
    pthread_mutex_unlock(&p->lock);
}

void linux_task_delist(struct linux_task *t)
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->lock);
    for (struct linux_task **at = &p->tasks; *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            p->ntasks--;
            break;
        }
    }
    pthread_mutex_unlock(&p->lock);
}

static _Noreturn void engine_failed(struct linux_task *t, nw_status status)
{
    linux_warn("the engine failed: %s", nw_status_text(status));
    t->process->abi->dump(t, stderr);
    fflush(NULL);
    _exit(LINUX_EXIT_CANNOT);
}

static void serve_exit(struct linux_task *t, const nw_exit *exit)
{
    const struct linux_abi *abi = t->process->abi;
    siginfo_t info = {0};
    switch (exit->reason) {
    case NW_EXIT_STOP:
    case NW_EXIT_LIMIT:
    case NW_EXIT_STOP_POINT: break;
    case NW_EXIT_SYSCALL: linux_dispatch(t, exit); break;
    case NW_EXIT_FAULT:
        if (abi->serve_fault && abi->serve_fault(t, exit))
            break;
        /* fall through */
    case NW_EXIT_UNDEFINED:
    case NW_EXIT_BREAKPOINT:
    case NW_EXIT_EXCEPTION:
        abi->fault_info(t, exit, &info);
        linux_force_signal(t, &info);
        break;
    case NW_EXIT_HALT: sched_yield(); break; /* user mode has no interrupt to wait for */
    case NW_EXIT_ERROR: engine_failed(t, exit->status);
    }
}

void linux_task_run(struct linux_task *t)
{
    while (!t->leave) {
        nw_exit exit = {0};
        if (t->signal_pending | t->restart | t->restore_mask)
            linux_deliver(t);
        nw_status status = nw_vcpu_run(t->vcpu, 0, &exit);
        if (status != NW_OK)
            engine_failed(t, status);
        serve_exit(t, &exit);
    }
}
