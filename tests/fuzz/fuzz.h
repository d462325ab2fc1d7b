/* What the fuzz targets share. Each target is one LLVMFuzzerTestOneInput; it is linked with
 * libFuzzer (-Dfuzz=true) or with replay.c, which runs it over the files of its corpus. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Only libFuzzer calls a target's mutator, and gives it its own. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Ends the run with a message: the input has found something. */
#define FUZZ_CHECK(cond, ...)                                                                      \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond);                             \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The input, read from its beginning; zeros when it has ended. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline void take(struct input *in, void *to, size_t size)
{
    size_t n = size < in->left ? size : in->left;

    memset(to, 0, size);
    if (!n)
        return;
    memcpy(to, in->at, n);
    in->at += n;
    in->left -= n;
}

static inline uint8_t take8(struct input *in)
{
    uint8_t v;

    take(in, &v, sizeof v);
    return v;
}

static inline uint16_t take16(struct input *in)
{
    uint16_t v;

    take(in, &v, sizeof v);
    return v;
}

static inline uint32_t take32(struct input *in)
{
    uint32_t v;

    take(in, &v, sizeof v);
    return v;
}

#endif
