#include "exec/fork.h"

#include <string.h>
#include <sys/mman.h>
#include "exec/engine.h"
#include "exec/signals.h"

/* Copying this much costs less than the translations that most children would need again. */
#define COPY_MAX (16u << 20)

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    struct nw_engine *first;
    nw_status status; /* of the handlers */
} list = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* The code of BUFFER in memory of its own, or null. */
static uint8_t *copy_code(const struct code_buffer *code)
{
    uint8_t *copy = codebuf_reserve(code->buf.size);

    if (copy)
        memcpy(copy, code->buf.rw, code->used);
    return copy;
}

static void prepare(struct nw_engine *engine)
{
    const struct code_buffer *code = &engine->code;

    engine->fork_hold = engine_lock(engine);
    pthread_rwlock_wrlock(&engine->io.lock);
    pthread_rwlock_wrlock(&engine->mem.lock);
    pthread_mutex_lock(&engine->mem.code_lock);
    pthread_mutex_lock(&engine->sync.lock);
    /* A callback goes back into code, which must be there. */
    if (code->buf.rw && (engine->fork_hold.vcpu || code->used <= COPY_MAX))
        engine->fork_code = copy_code(code);
}

static void before_fork(void)
{
    pthread_mutex_lock(&list.lock);
    for (struct nw_engine *e = list.first; e; e = e->next_engine)
        prepare(e);
    codebuf_lock_spares();
}

static void go_on(struct nw_engine *engine)
{
    if (engine->fork_code)
        munmap(engine->fork_code, engine->code.buf.size);
    engine->fork_code = NULL;
    pthread_mutex_unlock(&engine->sync.lock);
    pthread_mutex_unlock(&engine->mem.code_lock);
    pthread_rwlock_unlock(&engine->mem.lock);
    pthread_rwlock_unlock(&engine->io.lock);
    engine_unlock(engine, engine->fork_hold);
}

static void in_parent(void)
{
    codebuf_unlock_spares();
    for (struct nw_engine *e = list.first; e; e = e->next_engine)
        go_on(e);
    pthread_mutex_unlock(&list.lock);
}

/* The locks belong to the parent's thread. Those of a new process cannot fail to be made. */
static void renew_locks(struct nw_engine *engine)
{
    pthread_mutex_init(&engine->lock, NULL);
    pthread_rwlock_init(&engine->io.lock, NULL);
    pthread_rwlock_init(&engine->mem.lock, NULL);
    pthread_mutex_init(&engine->mem.code_lock, NULL);
    engine->sync = (struct exec_sync){0};
    sync_init(&engine->sync);
}

/* Nobody waits for what other threads were running. */
static void leave_others(struct nw_engine *engine)
{
    for (struct nw_vcpu *v = engine->vcpus; v; v = v->next)
        if (!vcpu_runs_here(v))
            atomic_store(&v->exec->place, VCPU_OUTSIDE);
    if (engine->fork_hold.vcpu)
        atomic_store(&engine->fork_hold.vcpu->exec->place, engine->fork_hold.place);
}

/* The copy takes the place of the parent's buffer. */
static bool map_again(struct nw_engine *engine)
{
    const struct host_buffer *buf = &engine->code.buf;
    uint8_t *copy = engine->fork_code;

    engine->fork_code = NULL;
    return copy &&
           mremap(copy, buf->size, buf->size, MREMAP_MAYMOVE | MREMAP_FIXED, buf->rw) !=
               MAP_FAILED &&
           codebuf_alias(buf->rw, buf->size, (uint8_t *)(uintptr_t)buf->rx);
}

static void continue_engine(struct nw_engine *engine)
{
    renew_locks(engine);
    leave_others(engine);
    if (!engine->code.buf.rw || map_again(engine))
        return;
    /* Where a callback came from it the code is needed, even if it stays the parent's too. */
    if (engine->fork_hold.vcpu)
        return;
    codebuf_unmap(&engine->code.buf);
    cache_clear(engine);
    engine->code.used = 0;
}

static void in_child(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

    signals_fork_child();
    codebuf_forget_spares();
    list.lock = fresh;
    for (struct nw_engine *e = list.first; e; e = e->next_engine)
        continue_engine(e);
}

static void install(void)
{
    list.status = pthread_atfork(before_fork, in_parent, in_child) ? NW_ERR_NOMEM : NW_OK;
}

nw_status fork_enlist(nw_engine *engine)
{
    pthread_once(&list.once, install);
    TRY(list.status);
    pthread_mutex_lock(&list.lock);
    engine->next_engine = list.first;
    list.first = engine;
    pthread_mutex_unlock(&list.lock);
    return NW_OK;
}

void fork_delist(nw_engine *engine)
{
    struct nw_engine **at = &list.first;

    pthread_mutex_lock(&list.lock);
    while (*at && *at != engine)
        at = &(*at)->next_engine;
    if (*at)
        *at = engine->next_engine;
    pthread_mutex_unlock(&list.lock);
}

void fork_keep_only(nw_engine *engine, nw_vcpu *self)
{
    engine->vcpus = self;
    self->next = NULL;
}
