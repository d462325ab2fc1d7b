/* The code buffer: one memfd seen through a writable and an executable mapping. */
#include <sys/mman.h>
#include <unistd.h>
#include "exec/engine.h"

nw_status codebuf_open(struct nw_engine *engine)
{
    struct code_buffer *code = &engine->code;
    size_t size = engine->code_size;
    void *rw = MAP_FAILED, *rx = MAP_FAILED;
    nw_status status = NW_ERR_NOMEM;
    int fd;

    if (code->buf.rw)
        return NW_OK;
    fd = memfd_create("narwhal-code", MFD_CLOEXEC);
    if (fd < 0)
        return NW_ERR_HOST;
    if (ftruncate(fd, (off_t)size) == 0) {
        rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
        rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, fd, 0);
    }
    close(fd);
    if (rw != MAP_FAILED && rx != MAP_FAILED) {
        code->buf = (struct host_buffer){rw, rx, (uint32_t)size};
        status = host_emit_runtime(code->buf, engine->guest, &code->runtime);
        code->used = code->runtime.size;
        if (status == NW_OK)
            return NW_OK;
        code->buf = (struct host_buffer){0};
    }
    if (rw != MAP_FAILED)
        munmap(rw, size);
    if (rx != MAP_FAILED)
        munmap(rx, size);
    return status;
}

void codebuf_close(struct nw_engine *engine)
{
    struct host_buffer *buf = &engine->code.buf;

    if (!buf->rw)
        return;
    munmap(buf->rw, buf->size);
    munmap((void *)(uintptr_t)buf->rx, buf->size);
    *buf = (struct host_buffer){0};
}
