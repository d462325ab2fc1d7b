/* Random arguments and guest code for fuzz_unicorn.c. */
#include <string.h>
#include "../splitmix.h"
#include "unicorn_code.h"
#include "unicorn_world.h"

uc_err check(uc_err error)
{
    FUZZ_CHECK(error <= UC_ERR_OVERFLOW, "error %d", error);
    return error;
}

/* ---- random arguments ---- */

uint64_t next(struct world *w)
{
    return splitmix64(&w->random);
}

uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)((next(w) >> 32) % n);
}

bool one_in(struct world *w, uint32_t n)
{
    return !below(w, n);
}

/* Mostly pages that meet each other, at both ends of the address space too. */
uint64_t page(struct world *w)
{
    switch (below(w, 16)) {
    case 0: return 0xffff0000u + ((uint64_t)below(w, 16) << 12);
    case 1: return 0xfffffffffffe0000u + ((uint64_t)below(w, 32) << 12);
    case 2: return next(w) & ~(uint64_t)(PAGE - 1);
    case 3: return (uint64_t)below(w, 16) << 28;
    default: return (uint64_t)below(w, 24) << 12;
    }
}

uint64_t address(struct world *w)
{
    switch (below(w, 8)) {
    case 0: return next(w);
    case 1: return page(w) + PAGE - below(w, 16);
    case 2: return page(w);
    default: return page(w) + below(w, PAGE);
    }
}

/* What maps something, or is refused for the overflow; never so much that memory runs short. */
uint64_t length(struct world *w)
{
    switch (below(w, 24)) {
    case 0: return 0;
    case 1: return below(w, 2 * PAGE);
    case 2: return UINT64_MAX - (PAGE - 1);
    default: return (1 + (uint64_t)below(w, one_in(w, 4) ? 16 : 3)) * PAGE;
    }
}

uint32_t perms(struct world *w)
{
    if (one_in(w, 24))
        return (uint32_t)next(w);
    return one_in(w, 3) ? below(w, 8) : UC_PROT_ALL;
}

int reg(struct world *w)
{
    int last = w->arch == UC_ARCH_ARM ? UC_ARM_REG_ENDING : UC_X86_REG_ENDING;

    return one_in(w, 32) ? (int)next(w) : (int)below(w, (uint32_t)last + 3);
}

void fill(struct world *w, void *into, size_t size)
{
    uint8_t *bytes = into;
    uint64_t x = 0;

    for (size_t n = 0; n < size; n++, x >>= 8) {
        if (!(n & 7))
            x = one_in(w, 2) ? address(w) : next(w);
        bytes[n] = (uint8_t)x;
    }
}

/* In callbacks mostly the one that runs. */
uc_engine *engine(struct world *w)
{
    uc_engine *uc = w->depth && w->running ? w->running : w->uc;

    if (one_in(w, 100))
        return NULL;
    if (w->other && one_in(w, 4))
        uc = uc == w->uc ? w->other : w->uc;
    return uc;
}

/* ---- guest code ---- */

void code(struct world *w, uint8_t *into, size_t size)
{
    bool thumb = one_in(w, 2);

    for (size_t at = 0; at < size;) {
        struct snippet s = {4, {0}};
        uint64_t x = next(w);

        if (one_in(w, 12)) {
            memcpy(s.bytes, &x, s.size);
        } else if (w->arch == UC_ARCH_X86) {
            s = x86_code[below(w, sizeof x86_code / sizeof x86_code[0])];
            if (w->mode == UC_MODE_64 && one_in(w, 4)) { /* REX */
                memmove(s.bytes + 1, s.bytes, s.size++);
                s.bytes[0] = 0x40 | (x & 15);
            }
        } else if (thumb) {
            uint32_t insn = thumb_code[below(w, sizeof thumb_code / 4)];

            s.size = insn >> 16 ? 4 : 2;
            if (insn >> 16)
                insn = insn >> 16 | insn << 16;
            memcpy(s.bytes, &insn, 4);
        } else {
            memcpy(s.bytes, &arm_code[below(w, sizeof arm_code / 4)], 4);
        }
        for (size_t n = 0; n < s.size && at < size; n++)
            into[at++] = s.bytes[n];
    }
}

/* Everything else is in registers: where it stores, and how often. */
void loop(struct world *w, uint8_t into[LOOP], bool thumb)
{
    static const uint8_t x86[] = {0x89, 0x07, 0xff, 0xc9, 0x75, 0xfa};
    static const uint32_t arm[] = {0xe5810000, 0xe2522001, 0x1afffffc};
    static const uint16_t t16[] = {0x6008, 0x3a01, 0xd1fc};

    code(w, into, LOOP);
    if (w->arch == UC_ARCH_X86)
        memcpy(into, x86, sizeof x86);
    else if (thumb)
        memcpy(into, t16, sizeof t16);
    else
        memcpy(into, arm, sizeof arm);
}
