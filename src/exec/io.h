/* The I/O space beside memory: ranges of ports and the callbacks behind them. */
#ifndef EXEC_IO_H
#define EXEC_IO_H

#include <pthread.h>
#include <narwhal/narwhal.h>
#include "base/status.h"
#include "base/vec.h"

#define IO_PORTS 0x10000u

struct io_range {
    uint32_t first, count;
    nw_io_read_fn read;
    nw_io_write_fn write;
    void *opaque;
};

struct io_space {
    pthread_rwlock_t lock;
    VEC(struct io_range) ranges;
};

nw_status io_init(struct io_space *);
void io_free(struct io_space *);
nw_status io_map(struct io_space *, const struct io_range *);

/* Is any of the SIZE ports from PORT on mapped? */
bool io_mapped(struct nw_vcpu *, uint32_t port, unsigned size);
/* SIZE: 1, 2 or 4. */
uint32_t io_read(struct nw_vcpu *, uint32_t port, unsigned size);
void io_write(struct nw_vcpu *, uint32_t port, uint32_t value, unsigned size);

#endif
