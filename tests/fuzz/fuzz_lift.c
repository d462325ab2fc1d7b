/* Any guest bytes under any mode word: lifted, verified, optimised, printed and emitted, not run.
 */
#include "fuzz.h"

#include <narwhal/narwhal.h>
#include "guest/guest.h"
#include "guest/arm/state.h"
#include "host/host.h"
#include "ir/pass.h"
#include "mutate.h"

#define HEADER 8
#define BUFFER (128u << 10) /* what src/exec gives a block */
#define PC     0xfff0u      /* so that code crosses a page */

struct bench {
    nw_vcpu *vcpu[3];
    struct ir_builder *builder;
    struct host_emitter *emitter;
    struct host_runtime runtime;
    uint8_t *code;
    struct ir_region region;
    FILE *null;
};

static struct bench *bench_new(void)
{
    static const char *const cpus[] = {NULL, "arm926", "arm1176"};
    struct bench *b = calloc(1, sizeof *b);

    FUZZ_CHECK(b, "no memory");
    for (unsigned i = 0; i < 3; i++) {
        nw_config config = {.arch = NW_ARCH_ARM, .cpu = cpus[i], .flags = NW_ENGINE_INTERP};
        nw_engine *engine;

        if (nw_engine_open(&config, &engine) != NW_OK) {
            b->vcpu[i] = b->vcpu[0];
            continue;
        }
        FUZZ_CHECK(nw_vcpu_create(engine, &b->vcpu[i]) == NW_OK, "vcpu");
    }
    b->builder = ir_builder_new();
    b->emitter = host_emitter_new();
    b->code = aligned_alloc(64, BUFFER);
    b->null = fopen("/dev/null", "w");
    ir_region_init(&b->region);
    FUZZ_CHECK(b->builder && b->emitter && b->code && b->null, "no memory");
    FUZZ_CHECK(host_emit_runtime((struct host_buffer){b->code, b->code, BUFFER}, &arm_guest,
                                 &b->runtime) == NW_OK,
               "runtime");
    return b;
}

static bool fetch(struct lift_request *req, uint64_t addr, void *buf, unsigned size)
{
    const struct input *in = req->opaque;

    if (addr < PC || addr - PC > in->left || size > in->left - (addr - PC))
        return false;
    memcpy(buf, in->at + (addr - PC), size);
    return true;
}

/* False: too many values live at once, or too much code: try fewer instructions. */
static bool emit(struct bench *b, const struct host_options *options)
{
    uint32_t at = (b->runtime.size + 31) & ~31u;
    struct host_exit *exits = calloc(b->region.exits.len + 1, sizeof *exits);
    struct host_code out = {.exits = exits};
    struct host_buffer part = {b->code + at, b->code + at, BUFFER - at};
    nw_status status =
        host_emit(b->emitter, &arm_guest, &b->region, options, &b->runtime, at, part, &out);

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

static bool translate(struct bench *b, struct lift_request *req, const struct host_options *options,
                      bool print)
{
    char why[256] = "";

    FUZZ_CHECK(guest_lift(b->builder, &b->region, req) == NW_OK, "lift");
    FUZZ_CHECK(ir_verify(&b->region, why, sizeof why), "%s", why);
    FUZZ_CHECK(ir_run_passes(&b->region) == NW_OK, "passes");
    FUZZ_CHECK(ir_verify(&b->region, why, sizeof why), "%s", why);
    if (print)
        ir_print(b->null, &b->region, &arm_guest.names);
    return emit(b, options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b;
    struct input in = {data, size};
    uint8_t choice = take8(&in), max = take8(&in);
    struct lift_request req = {.fetch = fetch, .opaque = &in};
    struct host_options options = {.fastmem = choice & 4, .chain = choice & 8};

    if (!b)
        b = bench_new();
    take16(&in);
    req.key = (struct block_key){.pc = PC, .mode = take32(&in)};
    req.vcpu = b->vcpu[(choice & 3) % 3];
    req.max_insns = 1 + max % 64;
    while (!translate(b, &req, &options, choice & 16))
        req.max_insns = (req.max_insns + 1) / 2;
    FUZZ_CHECK(b->region.size <= in.left + 4, "size %u", b->region.size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return mutate_code(data, size, max_size, HEADER, size > 4 && data[4] & ARM_KEY_THUMB, seed);
}
