/* Changing code that other threads may be running. */
#include "host/host.h"

#include <string.h>

/* A jump's displacement lies within 8 aligned bytes (align_field). */
static void patch32(uint8_t *at, int32_t value)
{
    size_t shift = (uintptr_t)at & 7;
    uint64_t *word = (uint64_t *)(void *)(at - shift);
    uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED), want;
    do {
        want = old;
        memcpy((uint8_t *)&want + shift, &value, 4);
    } while (
        !__atomic_compare_exchange_n(word, &old, want, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void host_link(const struct host_exit *exit, uint8_t *block_rw, const uint8_t *block_rx,
               const void *target)
{
    const uint8_t *to = target ? target : block_rx + exit->stub;
    patch32(block_rw + exit->jump, (int32_t)(to - (block_rx + exit->jump + 4)));
}

/* The five bytes lie within 16 aligned ones (begin_site), which one instruction exchanges. */
void host_site_demote(const struct host_site *site, uint8_t *block_rw)
{
    uint8_t *at = block_rw + site->access;
    size_t shift = (uintptr_t)at & 15;
    uint64_t *pair = (uint64_t *)(void *)(at - shift);
    uint64_t old[2], want[2];
    int32_t rel = (int32_t)(site->stub - (site->access + 5));
    bool done;
    memcpy(old, pair, 16);
    do {
        memcpy(want, old, 16);
        ((uint8_t *)want)[shift] = 0xe9;
        memcpy((uint8_t *)want + shift + 1, &rel, 4);
        __asm__ volatile("lock cmpxchg16b %1"
                         : "=@ccz"(done), "+m"(*(unsigned __int128 *)(void *)pair), "+a"(old[0]),
                           "+d"(old[1])
                         : "b"(want[0]), "c"(want[1])
                         : "memory");
    } while (!done);
}
