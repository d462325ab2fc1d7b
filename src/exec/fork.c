#include "exec/fork.h"

#include <string.h>
#include <sys/mman.h>
#include "exec/engine.h"
#include "exec/signals.h"

/* Copying this much costs less than the translations that most children would need again. */
#define COPY_MAX (16u << 20)

/* The code of BUFFER in memory of its own, or null. */
static uint8_t *copy_code(const struct code_buffer *code)
{
    uint8_t *copy;

    if (!code->buf.rw || code->used > COPY_MAX)
        return NULL;
    copy = codebuf_reserve(code->buf.size);
    if (copy)
        memcpy(copy, code->buf.rw, code->used);
    return copy;
}

void engine_fork_prepare(nw_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    pthread_rwlock_wrlock(&engine->mem.lock);
    pthread_mutex_lock(&engine->mem.code_lock);
    pthread_mutex_lock(&engine->sync.lock);
    engine->fork_code = copy_code(&engine->code);
}

void engine_fork_parent(nw_engine *engine)
{
    if (engine->fork_code)
        munmap(engine->fork_code, engine->code.buf.size);
    engine->fork_code = NULL;
    pthread_mutex_unlock(&engine->sync.lock);
    pthread_mutex_unlock(&engine->mem.code_lock);
    pthread_rwlock_unlock(&engine->mem.lock);
    pthread_mutex_unlock(&engine->lock);
}

/* The locks belong to the parent's thread; the child starts with fresh ones. */
static nw_status renew_locks(struct nw_engine *engine)
{
    if (pthread_mutex_init(&engine->lock, NULL) || pthread_rwlock_init(&engine->mem.lock, NULL) ||
        pthread_mutex_init(&engine->mem.code_lock, NULL))
        return NW_ERR_NOMEM;
    engine->sync = (struct exec_sync){0};
    return sync_init(&engine->sync);
}

/* The copy takes the place of the parent's buffer. */
static nw_status map_again(struct nw_engine *engine)
{
    const struct host_buffer *buf = &engine->code.buf;
    uint8_t *copy = engine->fork_code;

    engine->fork_code = NULL;
    if (mremap(copy, buf->size, buf->size, MREMAP_MAYMOVE | MREMAP_FIXED, buf->rw) == MAP_FAILED ||
        !codebuf_alias(buf->rw, buf->size, (uint8_t *)(uintptr_t)buf->rx))
        return NW_ERR_NOMEM;
    return NW_OK;
}

nw_status engine_fork_child(nw_engine *engine, nw_vcpu *self)
{
    signals_fork_child();
    TRY(renew_locks(engine));
    /* What other threads were doing to their vCPUs is unknown: these are left alone. */
    engine->vcpus = self;
    if (self)
        self->next = NULL;
    if (!engine->code.buf.rw)
        return NW_OK;
    if (engine->fork_code)
        return map_again(engine);
    codebuf_close(engine);
    cache_clear(engine);
    engine->code.used = 0;
    return codebuf_open(engine);
}
