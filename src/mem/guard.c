/* Host accesses that may meet the end of a mapped file: SIGBUS there becomes a return value. */
#include "mem/core.h"
#include "exec/signals.h"

#include <string.h>

bool guarded_copy(void *to, const void *from, size_t size)
{
    sigjmp_buf *outer = signals_guard();
    sigjmp_buf here;

    if (sigsetjmp(here, 0)) {
        signals_set_guard(outer);
        return false;
    }
    signals_set_guard(&here);
    memcpy(to, from, size);
    /* The access must not move past the guard. */
    __asm__ volatile("" ::: "memory");
    signals_set_guard(outer);
    return true;
}

bool guarded_probe(const void *at)
{
    uint8_t byte;

    return guarded_copy(&byte, at, 1);
}
