/* The code buffer: one piece of shared memory seen through a writable and an executable mapping. It
 * never has a file descriptor: in user mode the guest's threads may put what they like under any
 * number, between two calls of ours too. */
#include <string.h>
#include <sys/mman.h>
#include "exec/engine.h"

uint8_t *codebuf_reserve(size_t size)
{
    void *at =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

uint8_t *codebuf_alias(uint8_t *rw, size_t size, uint8_t *at)
{
    /* An old size of 0: another mapping of the same memory (mremap(2)). */
    void *rx = mremap(rw, 0, size, MREMAP_MAYMOVE | (at ? MREMAP_FIXED : 0), at);

    if (rx == MAP_FAILED)
        return NULL;
    if (mprotect(rx, size, PROT_READ | PROT_EXEC) == 0)
        return rx;
    if (!at)
        munmap(rx, size);
    return NULL;
}

/* ---- buffers of closed engines, for the next ones: mapping one anew is most of what opening costs
 * ---- */

#define SPARES    4
#define SPARE_MAX (1u << 20) /* bytes of code that were put there, which stay with the process */

struct spare {
    const struct guest_ops *guest; /* whose runtime is in it */
    struct code_buffer code;
};

static struct {
    pthread_mutex_t lock; /* leaf */
    unsigned n;
    struct spare at[SPARES];
} spares = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool take_spare(struct nw_engine *engine)
{
    bool found = false;

    pthread_mutex_lock(&spares.lock);
    for (unsigned n = spares.n; n-- > 0 && !found;) {
        const struct spare *s = &spares.at[n];

        if (s->guest != engine->guest || s->code.buf.size != engine->code_size)
            continue;
        engine->code = s->code;
        spares.at[n] = spares.at[--spares.n];
        found = true;
    }
    pthread_mutex_unlock(&spares.lock);
    return found;
}

/* The oldest makes room: it is of a guest that is not opened any more. */
static void keep_spare(struct nw_engine *engine)
{
    struct spare old = {0};

    pthread_mutex_lock(&spares.lock);
    if (spares.n == SPARES) {
        old = spares.at[0];
        memmove(&spares.at[0], &spares.at[1], (SPARES - 1) * sizeof spares.at[0]);
        spares.n--;
    }
    engine->code.used = engine->code.runtime.size;
    spares.at[spares.n++] = (struct spare){engine->guest, engine->code};
    pthread_mutex_unlock(&spares.lock);
    engine->code = (struct code_buffer){0};
    codebuf_unmap(&old.code.buf);
}

void codebuf_lock_spares(void)
{
    pthread_mutex_lock(&spares.lock);
}

void codebuf_unlock_spares(void)
{
    pthread_mutex_unlock(&spares.lock);
}

void codebuf_forget_spares(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

    spares.lock = fresh;
    while (spares.n)
        codebuf_unmap(&spares.at[--spares.n].code.buf);
}

/* ---- an engine's ---- */

nw_status codebuf_open(struct nw_engine *engine)
{
    struct code_buffer *code = &engine->code;
    size_t size = engine->code_size;
    uint8_t *rw, *rx;
    nw_status status;

    if (code->buf.rw || take_spare(engine))
        return NW_OK;
    rw = codebuf_reserve(size);
    if (!rw)
        return NW_ERR_NOMEM;
    rx = codebuf_alias(rw, size, NULL);
    if (!rx) {
        munmap(rw, size);
        return NW_ERR_HOST;
    }
    code->buf = (struct host_buffer){rw, rx, (uint32_t)size};
    status = host_emit_runtime(code->buf, engine->guest, &code->runtime);
    code->used = code->runtime.size;
    if (status != NW_OK)
        codebuf_unmap(&code->buf);
    return status;
}

void codebuf_unmap(struct host_buffer *buf)
{
    if (!buf->rw)
        return;
    uint8_t *rx = (uint8_t *)(uintptr_t)buf->rx;
    if (rx + buf->size == buf->rw) {
        munmap(rx, 2 * (size_t)buf->size); /* the usual case, in one call */
    } else {
        munmap(buf->rw, buf->size);
        munmap(rx, buf->size);
    }
    *buf = (struct host_buffer){0};
}

void codebuf_close(struct nw_engine *engine)
{
    const struct host_buffer *buf = &engine->code.buf;

    if (buf->rw && buf->size == CODE_BUFFER_DEFAULT && engine->stats.code_bytes <= SPARE_MAX)
        keep_spare(engine);
    else
        codebuf_unmap(&engine->code.buf);
}
