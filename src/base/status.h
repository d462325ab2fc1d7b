/* The error convention inside: every fallible function returns nw_status. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <narwhal/narwhal.h>

/* Hands the first failure to the caller. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        nw_status try_status_ = (expr);                                                            \
        if (try_status_ != NW_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

#define NW_LIKELY(x)   __builtin_expect(!!(x), 1)
#define NW_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* What is rare, so that it takes no registers of its caller's common path. */
#define NW_RARE        __attribute__((noinline, cold))
#define ARRAY_LEN(a)   (sizeof(a) / sizeof((a)[0]))

#endif
