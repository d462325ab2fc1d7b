/* Host accesses that may meet the end of a mapped file: SIGBUS there becomes a return value. */
#include "mem/core.h"
#include "exec/signals.h"

#include <string.h>

/* Runs WORK, which touches guest memory. */
#define GUARDED(work)                                                                              \
    sigjmp_buf *outer = signals_guard();                                                           \
    sigjmp_buf here;                                                                               \
                                                                                                   \
    if (sigsetjmp(here, 0)) {                                                                      \
        signals_set_guard(outer);                                                                  \
        return false;                                                                              \
    }                                                                                              \
    signals_set_guard(&here);                                                                      \
    work;                                                                                          \
    /* The access must not move past the guard. */                                                 \
    __asm__ volatile("" ::: "memory");                                                             \
    signals_set_guard(outer);                                                                      \
    return true

bool guarded_copy(void *to, const void *from, size_t size)
{
    GUARDED(memcpy(to, from, size));
}

bool guarded_move(void *to, const void *from, size_t size)
{
    GUARDED(memmove(to, from, size));
}

static void fill(uint8_t *to, uint64_t value, unsigned elem, size_t size)
{
    uint64_t pattern = value;

    if (elem == 1) {
        memset(to, (int)(value & 0xff), size);
        return;
    }
    for (unsigned n = elem; n < 8; n *= 2)
        pattern = (pattern & (UINT64_MAX >> (64 - 8 * n))) | pattern << (8 * n);
    for (; size >= 8; size -= 8, to += 8)
        memcpy(to, &pattern, 8);
    memcpy(to, &pattern, size);
}

bool guarded_fill(void *to, uint64_t value, unsigned elem, size_t size)
{
    GUARDED(fill(to, value, elem, size));
}

bool guarded_probe(const void *at)
{
    uint8_t byte;

    return guarded_copy(&byte, at, 1);
}
