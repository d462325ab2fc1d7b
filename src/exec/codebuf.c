/* The code buffer: one piece of shared memory seen through a writable and an executable mapping. It
 * never has a file descriptor: in user mode the guest's threads may put what they like under any
 * number, between two calls of ours too. */
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

nw_status codebuf_open(struct nw_engine *engine)
{
    struct code_buffer *code = &engine->code;
    size_t size = engine->code_size;
    uint8_t *rw, *rx;
    nw_status status;

    if (code->buf.rw)
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
        codebuf_close(engine);
    return status;
}

void codebuf_close(struct nw_engine *engine)
{
    struct host_buffer *buf = &engine->code.buf;

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
