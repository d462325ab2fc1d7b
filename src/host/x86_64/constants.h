/* Constants in memory, behind the runtime's code. */
#ifndef HOST_X86_64_CONSTANTS_H
#define HOST_X86_64_CONSTANTS_H

#include <stdint.h>

struct host_constants {
    _Alignas(16) uint64_t abs64[2], abs32[2]; /* all but the sign bit */
    uint64_t sign64[2], sign32[2];
    uint64_t code;  /* address of the buffer in the executable view */
    uint64_t min64; /* smallest normal numbers */
    uint32_t min32;
    uint32_t nzcv; /* selects SF ZF CF and OF from lahf; seto al */
    uint32_t zpc;  /* selects ZF PF CF from lahf */
};

#define HOST_CONSTANTS                                                                             \
    {                                                                                              \
        .abs64 = {INT64_MAX, INT64_MAX}, .abs32 = {0x7fffffff7fffffff, 0x7fffffff7fffffff},        \
        .sign64 = {1ull << 63, 1ull << 63}, .sign32 = {0x8000000080000000, 0x8000000080000000},    \
        .min64 = 1ull << 52, .min32 = 1u << 23, .nzcv = 0xc101, .zpc = 0x4500                      \
    }

#define CONSTANT(field) (uint32_t) offsetof(struct host_constants, field)

#endif
