#include "exec/io.h"

#include "exec/engine.h"

nw_status io_init(struct io_space *io)
{
    return pthread_rwlock_init(&io->lock, NULL) ? NW_ERR_NOMEM : NW_OK;
}

void io_free(struct io_space *io)
{
    VEC_FREE(&io->ranges);
    pthread_rwlock_destroy(&io->lock);
}

/* With the lock held. */
static const struct io_range *overlapping(const struct io_space *io, uint32_t first, uint32_t count)
{
    for (uint32_t n = 0; n < io->ranges.len; n++) {
        const struct io_range *r = &io->ranges.at[n];
        if (first < r->first + r->count && r->first < first + count)
            return r;
    }
    return NULL;
}

nw_status io_map(struct io_space *io, const struct io_range *range)
{
    nw_status status = NW_OK;

    if (range->first >= IO_PORTS || range->count > IO_PORTS - range->first)
        return NW_ERR_RANGE;
    pthread_rwlock_wrlock(&io->lock);
    if (overlapping(io, range->first, range->count))
        status = NW_ERR_OVERLAP;
    else if (!VEC_PUSH(&io->ranges, *range))
        status = NW_ERR_NOMEM;
    pthread_rwlock_unlock(&io->lock);
    return status;
}

/* The range that holds all of the access, in OUT: the callback runs without the lock. */
static bool whole(struct io_space *io, uint32_t port, unsigned size, struct io_range *out)
{
    pthread_rwlock_rdlock(&io->lock);
    const struct io_range *r = overlapping(io, port, size);
    bool found = r && port >= r->first && port + size <= r->first + r->count;
    if (found)
        *out = *r;
    pthread_rwlock_unlock(&io->lock);
    return found;
}

bool io_mapped(struct nw_vcpu *vcpu, uint32_t port, unsigned size)
{
    struct io_space *io = &vcpu->engine->io;

    pthread_rwlock_rdlock(&io->lock);
    bool found = overlapping(io, port, size);
    pthread_rwlock_unlock(&io->lock);
    return found;
}

static uint32_t ones(unsigned size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

uint32_t io_read(struct nw_vcpu *vcpu, uint32_t port, unsigned size)
{
    const struct mem_client *client = vcpu->mem->client;
    struct hook_frame frame;
    struct io_range r;
    uint32_t value = 0;

    if (whole(&vcpu->engine->io, port, size, &r)) {
        client->callback_enter(vcpu, &frame);
        value = r.read(r.opaque, (uint16_t)port, size) & ones(size);
        client->callback_leave(vcpu, &frame);
        return value;
    }
    if (size == 1)
        return ones(1);
    for (unsigned n = 0; n < size; n++)
        value |= io_read(vcpu, (port + n) & (IO_PORTS - 1), 1) << 8 * n;
    return value;
}

void io_write(struct nw_vcpu *vcpu, uint32_t port, uint32_t value, unsigned size)
{
    const struct mem_client *client = vcpu->mem->client;
    struct hook_frame frame;
    struct io_range r;

    if (whole(&vcpu->engine->io, port, size, &r)) {
        client->callback_enter(vcpu, &frame);
        r.write(r.opaque, (uint16_t)port, value & ones(size), size);
        client->callback_leave(vcpu, &frame);
        return;
    }
    for (unsigned n = 0; n < size && size > 1; n++)
        io_write(vcpu, (port + n) & (IO_PORTS - 1), value >> 8 * n & 0xff, 1);
}
