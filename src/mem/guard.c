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

/* Bytes from TO on, or with DOWN up to TO, that are in its page. */
static size_t in_page(const uint8_t *to, bool down)
{
    size_t at = (uintptr_t)to & (PAGE_SIZE_ - 1);
    return down ? (at ? at : PAGE_SIZE_) : PAGE_SIZE_ - at;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t guarded_move(void *to, const void *from, size_t size, bool down)
{
    sigjmp_buf *outer = signals_guard();
    sigjmp_buf here;
    volatile size_t done = 0;

    if (!sigsetjmp(here, 0)) {
        signals_set_guard(&here);
        /* Pieces within pages either fail at once or not at all. */
        while (done < size) {
            size_t offset = down ? size - done : done;
            uint8_t *dst = (uint8_t *)to + offset;
            const uint8_t *src = (const uint8_t *)from + offset;
            size_t piece = smaller(smaller(in_page(dst, down), in_page(src, down)), size - done);

            if (down)
                memmove(dst - piece, src - piece, piece);
            else
                memmove(dst, src, piece);
            __asm__ volatile("" ::: "memory");
            done += piece;
        }
    }
    signals_set_guard(outer);
    return done;
}

static void fill(uint8_t *to, uint64_t pattern, size_t size)
{
    for (; size >= 8; size -= 8, to += 8)
        memcpy(to, &pattern, 8);
    memcpy(to, &pattern, size);
}

size_t guarded_fill(void *to, uint64_t value, unsigned elem, size_t size, bool down)
{
    sigjmp_buf *outer = signals_guard();
    sigjmp_buf here;
    volatile size_t done = 0;
    uint64_t pattern = value;

    for (unsigned n = elem; n < 8; n *= 2)
        pattern = (pattern & (UINT64_MAX >> (64 - 8 * n))) | pattern << (8 * n);
    if (!sigsetjmp(here, 0)) {
        signals_set_guard(&here);
        while (done < size) {
            uint8_t *dst = (uint8_t *)to + (down ? size - done : done);
            size_t piece = smaller(in_page(dst, down), size - done);

            if (down)
                dst -= piece;
            if (elem == 1)
                memset(dst, (int)(value & 0xff), piece);
            else
                fill(dst, pattern, piece);
            __asm__ volatile("" ::: "memory");
            done += piece;
        }
    }
    signals_set_guard(outer);
    return done;
}

bool guarded_probe(const void *at)
{
    uint8_t byte;

    return guarded_copy(&byte, at, 1);
}
