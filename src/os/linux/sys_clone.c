/* New threads and processes. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exec/fork.h"
#include "os/linux/abi.h"
#include "os/linux/guest_mem.h"
#include "os/linux/mm.h"
#include "os/linux/process.h"
#include "os/linux/signal.h"
#include "os/linux/syscall.h"

#define HOST_STACK (1u << 20)

#define THREAD_FLAGS  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define TID_FLAGS     (CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)
#define IDLE_FLAGS    (CLONE_SYSVSEM | CLONE_DETACHED | CLONE_PTRACE | CLONE_UNTRACED | CLONE_IO)
#define PROCESS_FLAGS (CLONE_VM | CLONE_VFORK)

/* clone's arguments; addresses are the guest's. */
struct clone_request {
    uint64_t flags, stack, parent_tid, tls, child_tid;
};

struct thread_start {
    struct linux_task *task;
    const struct clone_request *request;
    pid_t tid;
    sem_t ready; /* the child has its id and needs this structure no more */
};

static void *thread_main(void *opaque)
{
    struct thread_start *start = opaque;
    const struct clone_request *r = start->request;
    struct linux_task *t = start->task;
    linux_current = t;
    t->tid = gettid();
    t->thread = pthread_self();
    if (r->flags & CLONE_PARENT_SETTID)
        linux_put_u32(t, r->parent_tid, (uint32_t)t->tid);
    if (r->flags & CLONE_CHILD_SETTID)
        linux_put_u32(t, r->child_tid, (uint32_t)t->tid);
    linux_task_enlist(t);
    start->tid = t->tid;
    sem_post(&start->ready);
    linux_signals_start(t);
    linux_task_run(t);
    /* No signal may find a task that is gone. */
    linux_signals_hold(t);
    linux_current = NULL;
    linux_task_free(t);
    return NULL;
}

static struct linux_task *new_thread(struct linux_task *parent, const struct clone_request *r)
{
    const struct linux_abi *abi = parent->process->abi;
    struct linux_task *t = linux_task_new(parent->process);
    if (!t)
        return NULL;
    abi->copy_state(t, parent);
    abi->set_result(t, 0);
    if (r->stack)
        abi->set_sp(t, r->stack);
    if (r->flags & CLONE_SETTLS)
        abi->set_tls(t, r->tls);
    if (r->flags & CLONE_CHILD_CLEARTID)
        t->clear_tid = r->child_tid;
    t->blocked = parent->blocked;
    return t;
}

static int64_t clone_thread(struct linux_task *parent, const struct clone_request *r)
{
    struct thread_start start = {.request = r, .task = new_thread(parent, r)};
    pthread_attr_t attr;
    pthread_t thread;
    if (!start.task)
        return -ENOMEM;
    if (linux_signals_hold(parent)) {
        linux_task_free(start.task);
        return -LINUX_ERESTARTNOINTR;
    }
    sem_init(&start.ready, 0, 0);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int err = pthread_create(&thread, &attr, thread_main, &start);
    pthread_attr_destroy(&attr);
    int64_t tid = -EAGAIN;
    if (!err) {
        while (sem_wait(&start.ready) && errno == EINTR)
            ;
        tid = start.tid;
    } else {
        linux_task_free(start.task);
    }
    sem_destroy(&start.ready);
    linux_set_blocked(parent, parent->blocked);
    return tid;
}

/* A pipe whose other end closes when the child executes a program or ends. High numbers, so that
 * the child's own descriptors are as it expects. */
static bool vfork_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        int high = fcntl(fds[i], F_DUPFD_CLOEXEC, 900);
        if (high >= 0) {
            close(fds[i]);
            fds[i] = high;
        }
    }
    return true;
}

static void vfork_wait(int fd)
{
    char byte;
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
        ;
    close(fd);
}

/* Only the calling thread exists in the child. */
static void become_child(struct linux_task *t)
{
    struct linux_process *p = t->process;
    for (struct linux_task *o = p->tasks, *next; o; o = next) {
        next = o->next;
        if (o != t) {
            p->slots[o->slot / 64] &= ~(1ull << o->slot % 64);
            free(o);
            p->orphans = true;
        }
    }
    t->next = NULL;
    p->tasks = t;
    p->ntasks = 1;
    p->pid = getpid();
    t->tid = gettid();
    t->robust_list = 0;
    t->clear_tid = 0;
}

int64_t linux_fork(struct linux_task *t, bool vfork)
{
    struct linux_process *p = t->process;
    int fds[2];
    if (linux_signals_hold(t))
        return -LINUX_ERESTARTNOINTR;
    vfork = vfork && vfork_pipe(fds);
    linux_mm_lock(p);
    pthread_mutex_lock(&p->lock);
    pthread_mutex_lock(&p->signal_lock);
    pid_t pid = fork();
    int64_t result = pid < 0 ? -errno : pid;
    if (!pid)
        fork_keep_only(p->engine, t->vcpu);
    pthread_mutex_unlock(&p->signal_lock);
    pthread_mutex_unlock(&p->lock);
    linux_mm_unlock(p);
    if (vfork)
        close(fds[pid ? 1 : 0]);
    if (!pid) {
        become_child(t);
        linux_signals_start(t);
        return 0;
    }
    if (vfork)
        pid > 0 ? vfork_wait(fds[0]) : (void)close(fds[0]);
    linux_set_blocked(t, t->blocked);
    return result;
}

static int64_t clone_process(struct linux_task *t, const struct clone_request *r)
{
    const struct linux_abi *abi = t->process->abi;
    int64_t pid = linux_fork(t, r->flags & CLONE_VFORK);
    if (pid > 0 && r->flags & CLONE_PARENT_SETTID)
        linux_put_u32(t, r->parent_tid, (uint32_t)pid);
    if (pid)
        return pid;
    if (r->flags & CLONE_VM && !(r->flags & CLONE_VFORK))
        t->alt_size = t->alt_flags = 0;
    if (r->stack)
        abi->set_sp(t, r->stack);
    if (r->flags & CLONE_SETTLS)
        abi->set_tls(t, r->tls);
    if (r->flags & CLONE_CHILD_SETTID)
        linux_put_u32(t, r->child_tid, (uint32_t)t->tid);
    if (r->flags & CLONE_CHILD_CLEARTID)
        t->clear_tid = r->child_tid;
    return 0;
}

int64_t sys_clone(struct linux_task *t, const uint64_t args[6])
{
    bool last = t->process->abi->tls_last;
    struct clone_request r = {args[0], args[1], args[2], args[last ? 4 : 3], args[last ? 3 : 4]};
    uint64_t what = r.flags & ~(uint64_t)(CSIGNAL | TID_FLAGS | IDLE_FLAGS);
    if (what == THREAD_FLAGS)
        return clone_thread(t, &r);
    if (what & ~(uint64_t)PROCESS_FLAGS)
        return -EINVAL; /* half a thread: memory shared but not signals, and the like */
    return clone_process(t, &r);
}

/* Programs fall back to clone. */
int64_t sys_clone3(struct linux_task *t, const uint64_t args[6])
{
    (void)t;
    (void)args;
    return -ENOSYS;
}

int64_t sys_fork(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return clone_process(t, &(struct clone_request){0});
}

int64_t sys_vfork(struct linux_task *t, const uint64_t args[6])
{
    (void)args;
    return clone_process(t, &(struct clone_request){.flags = CLONE_VFORK | CLONE_VM});
}
