#include "exec/fork.h"

#include <sys/mman.h>
#include <unistd.h>
#include "exec/engine.h"
#include "exec/signals.h"

/* Copying this much costs less than the translations that most children would need again. */
#define COPY_MAX (16u << 20)

/* A file with the code of BUFFER in it, or -1. */
static int copy_code(const struct code_buffer *code)
{
    uint32_t done = 0;
    int fd;

    if (!code->buf.rw || code->used > COPY_MAX)
        return -1;
    fd = memfd_create("narwhal-code", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, code->buf.size) == 0) {
        while (done < code->used) {
            ssize_t n = pwrite(fd, code->buf.rw + done, code->used - done, done);

            if (n <= 0)
                break;
            done += (uint32_t)n;
        }
        if (done == code->used)
            return fd;
    }
    close(fd);
    return -1;
}

void engine_fork_prepare(nw_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    pthread_rwlock_wrlock(&engine->mem.lock);
    pthread_mutex_lock(&engine->mem.code_lock);
    pthread_mutex_lock(&engine->sync.lock);
    engine->fork_fd = copy_code(&engine->code);
}

static void drop_copy(struct nw_engine *engine)
{
    if (engine->fork_fd >= 0)
        close(engine->fork_fd);
    engine->fork_fd = -1;
}

void engine_fork_parent(nw_engine *engine)
{
    drop_copy(engine);
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

static nw_status map_again(struct nw_engine *engine, int fd)
{
    const struct host_buffer *buf = &engine->code.buf;
    void *rx = (void *)(uintptr_t)buf->rx;

    if (mmap(buf->rw, buf->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd,
             0) == MAP_FAILED ||
        mmap(rx, buf->size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0) ==
            MAP_FAILED)
        return NW_ERR_NOMEM;
    return NW_OK;
}

nw_status engine_fork_child(nw_engine *engine, nw_vcpu *self)
{
    nw_status status;

    signals_fork_child();
    TRY(renew_locks(engine));
    /* What other threads were doing to their vCPUs is unknown: these are left alone. */
    engine->vcpus = self;
    if (self)
        self->next = NULL;
    if (!engine->code.buf.rw)
        return NW_OK;
    if (engine->fork_fd >= 0) {
        status = map_again(engine, engine->fork_fd);
        drop_copy(engine);
        return status;
    }
    codebuf_close(engine);
    cache_clear(engine);
    engine->code.used = 0;
    return codebuf_open(engine);
}
