/* The public memory calls: argument checks, then the engine. */
#include "exec/engine.h"
#include "exec/memory.h"

static nw_status check(nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms)
{
    if (!engine || (perms & ~(uint32_t)NW_RWX))
        return NW_ERR_ARG;
    return space_check(&engine->mem, gpa, size);
}

nw_status nw_mem_map(nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms)
{
    static const struct mem_backing anonymous = {.fd = -1};

    TRY(check(engine, gpa, size, perms));
    TRY(engine_before_map(engine, gpa, size));
    struct engine_hold hold = engine_lock(engine);
    nw_status status = space_map(&engine->mem, gpa, size, perms, &anonymous);
    engine_unlock(engine, hold);
    return status;
}

nw_status nw_mem_map_ptr(nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms, void *host)
{
    TRY(check(engine, gpa, size, perms));
    if (!host || (uintptr_t)host > UINTPTR_MAX - (size - 1))
        return NW_ERR_ARG;
    /* A program's memory is mapped by its loader: there this is a page or two. */
    if (engine->exceptions == NW_EXC_BARE)
        TRY(engine_leave_arena(engine));
    TRY(engine_before_map(engine, gpa, size));
    return engine_map_ptr(engine, gpa, size, perms, host);
}

nw_status nw_mem_map_mmio(nw_engine *engine, uint64_t gpa, uint64_t size, nw_mmio_read_fn read,
                          nw_mmio_write_fn write, void *opaque)
{
    TRY(check(engine, gpa, size, 0));
    if (!read || !write)
        return NW_ERR_ARG;
    TRY(engine_before_map(engine, gpa, size));
    struct engine_hold hold = engine_lock(engine);
    nw_status status = space_map_mmio(&engine->mem, gpa, size, read, write, opaque);
    engine_unlock(engine, hold);
    return status;
}

nw_status nw_io_map(nw_engine *engine, uint16_t first, uint32_t count, nw_io_read_fn read,
                    nw_io_write_fn write, void *opaque)
{
    const struct io_range range = {first, count, read, write, opaque};

    if (!engine || !count || !read || !write)
        return NW_ERR_ARG;
    return io_map(&engine->io, &range);
}

nw_status nw_mem_unmap(nw_engine *engine, uint64_t gpa, uint64_t size)
{
    TRY(check(engine, gpa, size, 0));
    return engine_unmap(engine, gpa, size, false);
}

nw_status nw_mem_protect(nw_engine *engine, uint64_t gpa, uint64_t size, uint32_t perms)
{
    TRY(check(engine, gpa, size, perms));
    return engine_protect(engine, gpa, size, perms);
}

nw_status nw_mem_read(nw_engine *engine, uint64_t gpa, void *buf, size_t size)
{
    if (!engine || (!buf && size))
        return NW_ERR_ARG;
    return space_read(&engine->mem, gpa, buf, size);
}

nw_status nw_mem_write(nw_engine *engine, uint64_t gpa, const void *buf, size_t size)
{
    if (!engine || (!buf && size))
        return NW_ERR_ARG;
    return engine_write(engine, gpa, buf, size);
}
