/* A vCPU and a memory for tests of the IR alone. */
#ifndef TESTS_UNIT_IR_STUB_H
#define TESTS_UNIT_IR_STUB_H

#include "exec/vcpu.h"
#include "ir/interp.h"
#include "ir/pass.h"

/* 4 KiB of guest memory at address 0, found through vcpu->owner; every other access faults. */
#define STUB_MEMORY 4096

/* The same memory once more, where struct stub.high says so: outside any window, and not in the same
 * set of the TLB as address 0. */
#define STUB_HIGH ((1ull << 40) + 4096)

enum { STUB_PC = 256, STUB_AUX = 264 };

struct stub {
    struct nw_vcpu vcpu;
    uint8_t memory[STUB_MEMORY];
    uint8_t *instead; /* where the memory is, when not in MEMORY */
    unsigned accesses;
    bool high;
};

struct stub *stub_new(void);
/* Runs REGION in the interpreter. */
enum ir_leave stub_run(struct stub *, const struct ir_region *);
/* True when all that a guest can see is the same in both. */
bool stub_equal(const struct stub *, const struct stub *);
uint32_t stub_word(const struct stub *, uint32_t offset);

#endif
