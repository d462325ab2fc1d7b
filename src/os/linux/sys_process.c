/* System calls that end threads and processes, and small ones about them. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/process.h"
#include "os/linux/syscall.h"

#define ROBUST_LIMIT 2048 /* entries looked at: the list may be a ring */

static void wake(struct linux_task *t, uint64_t gva, int count)
{
    void *at = linux_span(t, gva, 4, NW_ACCESS_READ);
    if (at)
        syscall(SYS_futex, at, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* Marks the futex at GVA as its dead owner's and wakes one waiter (kernel/futex,
 * handle_futex_death). */
static void abandon_futex(struct linux_task *t, uint64_t gva, bool pending, bool pi)
{
    uint32_t *at = gva & 3 ? NULL : linux_span(t, gva, 4, NW_ACCESS_WRITE);
    if (!at)
        return;
    uint32_t old = __atomic_load_n(at, __ATOMIC_SEQ_CST);
    if (pending && !pi && !old) {
        wake(t, gva, 1);
        return;
    }
    do {
        if ((old & FUTEX_TID_MASK) != (uint32_t)t->tid)
            return;
    } while (!__atomic_compare_exchange_n(at, &old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    if (!pi && old & FUTEX_WAITERS)
        wake(t, gva, 1);
}

/* struct robust_list_head: the list, the offset from an entry to its futex, the entry being taken.
 * Bit 0 of an entry's address marks a priority-inheritance futex. */
static void walk_robust_list(struct linux_task *t)
{
    unsigned word = t->process->abi->word;
    uint64_t head = t->robust_list, entry, offset, pending, next;
    if (!head || linux_get_word(t, head, &entry) || linux_get_word(t, head + word, &offset) ||
        linux_get_word(t, head + 2 * word, &pending))
        return;
    uint64_t mask = word == 4 ? UINT32_MAX : UINT64_MAX; /* the offset may be negative */
    for (unsigned n = 0; n < ROBUST_LIMIT && (entry & ~1ull) != head; n++) {
        bool more = !linux_get_word(t, entry & ~1ull, &next);
        if (entry != pending)
            abandon_futex(t, ((entry & ~1ull) + offset) & mask, false, entry & 1);
        if (!more)
            break;
        entry = next;
    }
    if (pending & ~1ull)
        abandon_futex(t, ((pending & ~1ull) + offset) & mask, true, pending & 1);
}

void linux_task_farewell(struct linux_task *t)
{
    walk_robust_list(t);
    if (t->clear_tid && !linux_put_u32(t, t->clear_tid, 0))
        wake(t, t->clear_tid, 1);
}

void linux_process_exit(struct linux_task *t, int status)
{
    struct linux_process *p = t->process;
    t->leave = true;
    t->exit_status = status & 0xff;
    if (p->ntasks == 1 && pthread_equal(t->thread, p->runner) && !p->orphans)
        return;
    if (p->options->strace)
        fflush(p->options->strace);
    _exit(t->exit_status);
}

int64_t sys_exit_group(struct linux_task *t, const uint64_t args[6])
{
    linux_process_exit(t, (int)args[0]);
    return 0;
}

int64_t sys_exit(struct linux_task *t, const uint64_t args[6])
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->lock);
    bool last = p->ntasks == 1;
    pthread_mutex_unlock(&p->lock);
    linux_task_farewell(t);
    if (last) {
        linux_process_exit(t, (int)args[0]);
        return 0;
    }
    linux_task_delist(t);
    t->leave = true;
    /* The first thread's status is the process's when all have ended this way; it must not return
     * into our caller while others run. */
    if (pthread_equal(t->thread, p->runner))
        syscall(SYS_exit, (int)args[0]);
    return 0;
}

int64_t sys_set_tid_address(struct linux_task *t, const uint64_t args[6])
{
    t->clear_tid = args[0];
    return t->tid;
}

int64_t sys_set_robust_list(struct linux_task *t, const uint64_t args[6])
{
    if (args[1] != 3u * t->process->abi->word)
        return -EINVAL;
    t->robust_list = args[0];
    t->robust_size = args[1];
    return 0;
}

int64_t sys_get_robust_list(struct linux_task *t, const uint64_t args[6])
{
    struct linux_process *p = t->process;
    uint64_t head = 0, size = 3u * p->abi->word;
    bool found = false;
    pthread_mutex_lock(&p->lock);
    for (struct linux_task *o = p->tasks; o; o = o->next) {
        if (args[0] ? o->tid == (pid_t)args[0] : o == t) {
            head = o->robust_list;
            found = true;
        }
    }
    pthread_mutex_unlock(&p->lock);
    if (!found)
        return -ESRCH;
    if (linux_put_word(t, args[2], size) || linux_put_word(t, args[1], head))
        return -EFAULT;
    return 0;
}

int64_t sys_getpid(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return t->process->pid;
}

int64_t sys_gettid(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return t->tid;
}

/* Restartable sequences would need each thread's code to be watched; programs do without. */
int64_t sys_rseq(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    (void)args;
    return -ENOSYS;
}
