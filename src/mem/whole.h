/* Guest data as it moves: in one host access where it is aligned, so that other vCPUs see it whole. */
#ifndef MEM_WHOLE_H
#define MEM_WHOLE_H

#include <string.h>
#include "base/status.h"

/* Wide data in several of 8 bytes. */
static inline void read_whole(uint8_t *to, const uint8_t *from, unsigned size)
{
    for (; size > 8 && !((uintptr_t)from & 7); size -= 8, to += 8, from += 8) {
        uint64_t v = __atomic_load_n((const uint64_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &v, 8);
    }
    if ((uintptr_t)from & (size - 1)) {
        memcpy(to, from, size);
        return;
    }
    switch (size) {
    case 1: *to = __atomic_load_n(from, __ATOMIC_RELAXED); break;
    case 2: {
        uint16_t v = __atomic_load_n((const uint16_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &v, 2);
        break;
    }
    case 4: {
        uint32_t v = __atomic_load_n((const uint32_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &v, 4);
        break;
    }
    case 8: {
        uint64_t v = __atomic_load_n((const uint64_t *)(const void *)from, __ATOMIC_RELAXED);
        memcpy(to, &v, 8);
        break;
    }
    default: memcpy(to, from, size); /* a part of an access */
    }
}

static inline void write_whole(uint8_t *to, const uint8_t *from, unsigned size)
{
    for (; size > 8 && !((uintptr_t)to & 7); size -= 8, to += 8, from += 8) {
        uint64_t v;
        memcpy(&v, from, 8);
        __atomic_store_n((uint64_t *)(void *)to, v, __ATOMIC_RELAXED);
    }
    if (size > 8 || ((uintptr_t)to & (size - 1))) {
        memcpy(to, from, size);
        return;
    }
    switch (size) {
    case 1: __atomic_store_n(to, *from, __ATOMIC_RELAXED); break;
    case 2: {
        uint16_t v;
        memcpy(&v, from, 2);
        __atomic_store_n((uint16_t *)(void *)to, v, __ATOMIC_RELAXED);
        break;
    }
    case 4: {
        uint32_t v;
        memcpy(&v, from, 4);
        __atomic_store_n((uint32_t *)(void *)to, v, __ATOMIC_RELAXED);
        break;
    }
    case 8: {
        uint64_t v;
        memcpy(&v, from, 8);
        __atomic_store_n((uint64_t *)(void *)to, v, __ATOMIC_RELAXED);
        break;
    }
    default: memcpy(to, from, size);
    }
}

/* The number of SIZE bytes, read as it was written: the host waits where a large load follows a
 * smaller store. */
static inline uint64_t number_in(const uint8_t *bytes, unsigned size)
{
    switch (size) {
    case 1: return *bytes;
    case 2: {
        uint16_t v;
        memcpy(&v, bytes, 2);
        return v;
    }
    case 4: {
        uint32_t v;
        memcpy(&v, bytes, 4);
        return v;
    }
    default: {
        uint64_t v;
        memcpy(&v, bytes, 8);
        return v;
    }
    }
}

static inline uint64_t swap_bytes(uint64_t v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - 8 * size);
}

/* The lower SIZE bytes of V as a signed number. */
static inline uint64_t sign_extend(uint64_t v, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(v << shift) >> shift);
}

#endif
