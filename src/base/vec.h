/* A growable array of any element type, for single-threaded owners.
 *
 *   VEC(uint32_t) v = {0};
 *   if (!VEC_PUSH(&v, 7)) return NW_ERR_NOMEM;
 *   VEC_FREE(&v);
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        uint32_t len, cap;                                                                         \
    }

/* Makes room for one more element of SIZE bytes; false when the host has no memory. */
static inline bool vec_grow(void **at, uint32_t len, uint32_t *cap, size_t size)
{
    if (len < *cap)
        return true;
    uint32_t want = *cap ? *cap * 2 : 16;
    void *bigger = want > len ? realloc(*at, want * size) : NULL;
    if (!bigger)
        return false;
    *at = bigger;
    *cap = want;
    return true;
}

#define VEC_PUSH(v, ...)                                                                           \
    (vec_grow((void **)&(v)->at, (v)->len, &(v)->cap, sizeof *(v)->at) &&                          \
     ((v)->at[(v)->len] = (__VA_ARGS__), (v)->len++, true))
#define VEC_CLEAR(v) ((v)->len = 0)
#define VEC_FREE(v)                                                                                \
    do {                                                                                           \
        free((v)->at);                                                                             \
        (v)->at = NULL;                                                                            \
        (v)->len = (v)->cap = 0;                                                                   \
    } while (0)

#endif
