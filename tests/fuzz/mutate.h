/* Mutation that knows instructions: puts random encodings of the decode table into code. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include "../splitmix.h"
#include "guest/arm/decode.h"

/* Registers of a random instruction: few different ones, so that instructions depend on each other.
 */
static inline uint32_t mutate_insn(uint64_t *s, bool thumb, unsigned *size)
{
    for (;;) {
        const struct arm_row *row = &arm_rows[splitmix64(s) % arm_nrows];
        uint32_t raw = (uint32_t)splitmix64(s);

        if ((row->set == ARM_SET_A32) == thumb)
            continue;
        if (splitmix64(s) & 1)
            raw &= (uint32_t)splitmix64(s);
        raw = (raw & ~row->mask) | row->value;
        if (splitmix64(s) % 16)
            raw = (raw & ~row->should_mask) | row->should_value;
        if (row->set == ARM_SET_A32 && row->flags & ARM_ROW_COND && splitmix64(s) & 1)
            raw = (raw & 0x0fffffffu) | 0xe0000000u;
        *size = row->set == ARM_SET_T16 ? 2 : 4;
        return row->set == ARM_SET_T32 ? raw >> 16 | raw << 16 : raw;
    }
}

/* DATA[HEADER..) is code. */
static inline size_t mutate_code(uint8_t *data, size_t size, size_t max_size, size_t header,
                                 bool thumb, unsigned seed)
{
    uint64_t s = seed;
    unsigned times = 1 + splitmix64(&s) % 6;

    if (max_size < header + 4 || splitmix64(&s) % 5 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (size < header) {
        memset(data + size, 0, header - size);
        size = header;
    }
    while (times--) {
        unsigned n, step = thumb ? 2 : 4;
        uint32_t raw = mutate_insn(&s, thumb, &n);
        size_t at = header + splitmix64(&s) % ((size - header) / step + 1) * step;

        if (at + n > max_size)
            continue;
        if (splitmix64(&s) & 1 && size + n <= max_size) {
            memmove(data + at + n, data + at, size - at);
            size += n;
        }
        memcpy(data + at, &raw, n);
        if (at + n > size)
            size = at + n;
    }
    return size;
}

#endif
