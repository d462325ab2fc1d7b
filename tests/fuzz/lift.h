/* Lifts, optimises and emits code at a key without running it: what the targets of the different
 * guests share. */
#ifndef TESTS_FUZZ_LIFT_H
#define TESTS_FUZZ_LIFT_H

#include "fuzz.h"

#include <narwhal/narwhal.h>
#include "guest/guest.h"
#include "host/host.h"
#include "ir/pass.h"

#define LIFT_BUFFER (128u << 10) /* what src/exec gives a block */
#define LIFT_PC     0xfff0u      /* so that code crosses a page */

struct lift_bench {
    const struct guest_ops *guest;
    struct ir_builder *builder;
    struct host_emitter *emitter;
    struct host_runtime runtime;
    uint8_t *code;
    struct ir_region region;
    FILE *null;
};

static inline struct lift_bench *lift_bench_new(const struct guest_ops *guest)
{
    struct lift_bench *b = calloc(1, sizeof *b);

    FUZZ_CHECK(b, "no memory");
    b->guest = guest;
    b->builder = ir_builder_new();
    b->emitter = host_emitter_new();
    b->code = aligned_alloc(64, LIFT_BUFFER);
    b->null = fopen("/dev/null", "w");
    ir_region_init(&b->region);
    FUZZ_CHECK(b->builder && b->emitter && b->code && b->null, "no memory");
    FUZZ_CHECK(host_emit_runtime((struct host_buffer){b->code, b->code, LIFT_BUFFER}, guest,
                                 &b->runtime) == NW_OK,
               "runtime");
    return b;
}

/* A vCPU of model CPU, or null where there is no such model. */
static inline nw_vcpu *lift_vcpu(nw_arch arch, const char *cpu)
{
    nw_config config = {.arch = arch, .cpu = cpu, .flags = NW_ENGINE_INTERP};
    nw_engine *engine;
    nw_vcpu *vcpu;

    if (nw_engine_open(&config, &engine) != NW_OK)
        return NULL;
    FUZZ_CHECK(nw_vcpu_create(engine, &vcpu) == NW_OK, "vcpu");
    return vcpu;
}

static inline bool lift_fetch(struct lift_request *req, uint64_t addr, void *buf, unsigned size)
{
    const struct input *in = req->opaque;

    if (addr < LIFT_PC || addr - LIFT_PC > in->left || size > in->left - (addr - LIFT_PC))
        return false;
    memcpy(buf, in->at + (addr - LIFT_PC), size);
    return true;
}

/* False: too many values live at once, or too much code: try fewer instructions. */
static inline bool lift_emit(struct lift_bench *b, const struct host_options *options)
{
    uint32_t at = (b->runtime.size + 31) & ~31u;
    struct host_exit *exits = calloc(b->region.exits.len + 1, sizeof *exits);
    struct host_code out = {.exits = exits};
    struct host_buffer part = {b->code + at, b->code + at, LIFT_BUFFER - at};
    nw_status status =
        host_emit(b->emitter, b->guest, &b->region, options, &b->runtime, at, part, &out);

    FUZZ_CHECK(status == NW_OK || b->region.ninsns > 1, "emission: %s", nw_status_text(status));
    for (uint32_t i = 0; status == NW_OK && i < out.sites.len; i++)
        FUZZ_CHECK(out.sites.at[i].length >= 5 && (at + out.sites.at[i].access) % 16 <= 11,
                   "site %u", i);
    FUZZ_CHECK(out.size <= part.size, "size %u", out.size);
    VEC_FREE(&out.sites);
    VEC_FREE(&out.insn_offsets);
    free(exits);
    return status == NW_OK;
}

static inline bool lift_once(struct lift_bench *b, struct lift_request *req,
                             const struct host_options *options, bool print)
{
    char why[256] = "";

    FUZZ_CHECK(guest_lift(b->builder, &b->region, req) == NW_OK, "lift");
    FUZZ_CHECK(ir_verify(&b->region, why, sizeof why), "%s", why);
    FUZZ_CHECK(ir_run_passes(&b->region) == NW_OK, "passes");
    FUZZ_CHECK(ir_verify(&b->region, why, sizeof why), "%s", why);
    if (print)
        ir_print(b->null, &b->region, &b->guest->names);
    return lift_emit(b, options);
}

/* The code in IN as vcpu's at LIFT_PC in MODE. CHOICE: bit 2 fastmem, 3 chaining, 4 printing. */
static inline void lift_fuzz(struct lift_bench *b, nw_vcpu *vcpu, uint32_t mode, struct input *in,
                             unsigned choice, unsigned max_insns)
{
    struct lift_request req = {.fetch = lift_fetch,
                               .opaque = in,
                               .key = {.pc = LIFT_PC, .mode = mode},
                               .vcpu = vcpu,
                               .max_insns = max_insns};
    struct host_options options = {.fastmem = choice & 4, .chain = choice & 8};

    while (!lift_once(b, &req, &options, choice & 16))
        req.max_insns = (req.max_insns + 1) / 2;
    FUZZ_CHECK(b->region.size <= in->left + 15, "size %u", b->region.size);
}

#endif
