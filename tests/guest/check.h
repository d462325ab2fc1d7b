/* Checks of guest programs: failures are printed and counted, the exit status tells. */
#ifndef TESTS_GUEST_CHECK_H
#define TESTS_GUEST_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int check_failed;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if (!(cond)) {                                                                             \
            printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #cond, errno);                    \
            check_failed++;                                                                        \
        }                                                                                          \
    } while (0)

/* The call gives -1 with that errno. */
#define CHECK_ERRNO(call, want)                                                                    \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long got_ = (long)(call);                                                                  \
        if (got_ != -1 || errno != (want)) {                                                       \
            printf("%s:%d: %s gave %ld, errno %d, not " #want "\n", __FILE__, __LINE__, #call,     \
                   got_, errno);                                                                   \
            check_failed++;                                                                        \
        }                                                                                          \
    } while (0)

#define CHECK_DONE()                                                                               \
    (printf("%s: %s\n", __FILE__, check_failed ? "failed" : "ok"), check_failed != 0)

/* Addresses that no process can use. */
#define BAD_ADDR  ((void *)-4096l)
#define NULL_PAGE ((void *)16)

#endif
