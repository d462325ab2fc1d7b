/* narwhal explain: a range of a program as guest code, IR and host code. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explain.h"
#include "guest/arm/state.h"
#include "ir/pass.h"
#include "mem/mem.h"
#include "program.h"

enum { OPT_FROM = CLI_OPT_FIRST, OPT_COUNT };

#define SCRATCH (256u << 10)

static const struct option options[] = {
    CLI_ENGINE_OPTIONS,
    {"from", required_argument, NULL, OPT_FROM},
    {"count", required_argument, NULL, OPT_COUNT},
    {0},
};

static int help(void)
{
    fputs("usage: narwhal explain [OPTIONS] PROGRAM\n\n"
          "  --from WHERE      function name or address (odd: Thumb); the entry point unless told\n"
          "  --count N         guest instructions; the function, or 32, unless "
          "told\n" CLI_ENGINE_HELP,
          stdout);
    return CLI_OK;
}

struct explain {
    struct cli_engine engine_options;
    const char *path, *from;
    uint32_t count;
    struct program program;
    nw_engine *engine;
    nw_vcpu *vcpu;
    struct ir_builder *builder;
    struct host_emitter *emitter;
    struct listing *listing;
    uint8_t *scratch;
};

static bool fetch(struct lift_request *req, uint64_t addr, void *buf, unsigned size)
{
    return mem_fetch(req->vcpu, addr, buf, size);
}

/* Where to begin: *ADDR with bit 0 for Thumb, *BYTES of the function or 0. */
static int locate(struct explain *e, uint32_t *addr, uint32_t *bytes)
{
    *bytes = 0;
    *addr = e->program.entry;
    if (!e->from)
        return CLI_OK;
    char *end;
    unsigned long value = strtoul(e->from, &end, 0);
    if (end != e->from && !*end && value <= UINT32_MAX) {
        bool thumb;
        *addr = (uint32_t)value;
        if (!(value & 1) && program_is_thumb(&e->program, *addr, &thumb))
            *addr |= thumb;
        return CLI_OK;
    }
    if (program_symbol(&e->program, e->from, addr, bytes))
        return CLI_OK;
    return cli_fail("explain", CLI_FAILED, "'%s' has no function '%s'; give an address instead",
                    e->path, e->from);
}

static int show(struct explain *e, uint32_t addr, uint32_t bytes)
{
    struct explain_view view = {.out = stdout,
                                .listing = e->listing,
                                .guest = &arm_guest,
                                .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    struct host_options host_options = {.fastmem =
                                            !(e->engine_options.flags & NW_ENGINE_NO_FASTMEM),
                                        .chain = !(e->engine_options.flags & NW_ENGINE_NO_CHAIN)};
    struct host_buffer buffer = {.rw = e->scratch, .rx = e->scratch, .size = SCRATCH};
    struct host_runtime runtime = {0};
    if (host_emit_runtime(buffer, &arm_guest, &runtime) != NW_OK)
        return cli_fail("explain", CLI_FAILED, "the host back end cannot work here");
    arm_of(e->vcpu)->thumb = addr & 1;
    uint64_t pc = addr & ~1u, end = bytes ? pc + bytes : UINT64_MAX;
    uint32_t left = e->count ? e->count : bytes ? UINT32_MAX : 32;
    struct ir_region region;
    ir_region_init(&region);
    int status = CLI_OK;
    while (status == CLI_OK && left && pc < end) {
        struct lift_request req = {
            .vcpu = e->vcpu, .fetch = fetch, .max_insns = left < 64 ? left : 64};
        arm_of(e->vcpu)->r[15] = (uint32_t)pc;
        req.key = arm_guest.key(e->vcpu);
        uint8_t code[512];
        if (guest_lift(e->builder, &region, &req) != NW_OK || !region.size ||
            region.size > sizeof code || !mem_fetch(e->vcpu, pc, code, region.size)) {
            status = cli_fail("explain", CLI_FAILED, "there is no code at 0x%llx",
                              (unsigned long long)pc);
            break;
        }
        struct host_code out = {.exits = calloc(region.exits.len + 1, sizeof *out.exits)};
        struct host_buffer block = {e->scratch + runtime.size, e->scratch + runtime.size,
                                    SCRATCH - runtime.size};
        if (ir_run_passes(&region) != NW_OK || !out.exits ||
            host_emit(e->emitter, &arm_guest, &region, &host_options, &runtime, runtime.size, block,
                      &out))
            status = cli_fail("explain", CLI_FAILED, "the block at 0x%llx could not be translated",
                              (unsigned long long)pc);
        else
            explain_block(&view, &region, code, block.rw, &out);
        VEC_FREE(&out.sites);
        VEC_FREE(&out.insn_offsets);
        free(out.exits);
        left -= region.ninsns < left ? region.ninsns : left;
        pc += region.size;
    }
    ir_region_free(&region);
    return status;
}

static int explain(struct explain *e)
{
    char why[300];
    nw_config config = {
        .arch = NW_ARCH_ARM, .cpu = e->engine_options.cpu, .flags = e->engine_options.flags};
    if (!program_open(&e->program, e->path, why, sizeof why))
        return cli_fail("explain", CLI_FAILED, "%s", why);
    nw_status s = nw_engine_open(&config, &e->engine);
    if (s == NW_OK)
        s = program_map(&e->program, e->engine);
    if (s == NW_OK)
        s = nw_vcpu_create(e->engine, &e->vcpu);
    if (s == NW_ERR_CPU)
        return cli_fail("explain", CLI_FAILED,
                        "unknown CPU model '%s'; try arm926, cortex-a8, cortex-a15 or max",
                        e->engine_options.cpu);
    if (s != NW_OK)
        return cli_fail("explain", CLI_FAILED, "'%s': %s", e->path, nw_status_text(s));
    e->builder = ir_builder_new();
    e->emitter = host_emitter_new();
    e->listing = listing_new(0, stdout);
    e->scratch = malloc(SCRATCH);
    if (!e->builder || !e->emitter || !e->listing || !e->scratch)
        return cli_fail("explain", CLI_FAILED, "out of memory");
    uint32_t addr, bytes;
    int status = locate(e, &addr, &bytes);
    return status == CLI_OK ? show(e, addr, bytes) : status;
}

static void cleanup(struct explain *e)
{
    free(e->scratch);
    listing_free(e->listing);
    if (e->emitter)
        host_emitter_free(e->emitter);
    if (e->builder)
        ir_builder_free(e->builder);
    if (e->engine)
        nw_engine_close(e->engine);
    program_close(&e->program);
}

int cli_explain(int argc, char **argv)
{
    struct explain e = {0};
    uint64_t count;
    int opt;
    opterr = 0;
    while ((opt = getopt_long(argc, argv, CLI_ENGINE_SHORT, options, NULL)) != -1) {
        int taken = cli_engine_option(&e.engine_options, "explain", opt, optarg);
        if (taken < 0)
            return CLI_USAGE;
        if (taken)
            continue;
        switch (opt) {
        case OPT_FROM: e.from = optarg; break;
        case OPT_COUNT:
            if (!cli_parse_size(optarg, &count) || !count || count > 1u << 20)
                return cli_fail("explain", CLI_USAGE, "'%s' is not a number of instructions",
                                optarg);
            e.count = (uint32_t)count;
            break;
        case CLI_OPT_HELP:
        case 'h': return help();
        default: return cli_bad_option("explain", opt, argv);
        }
    }
    if (optind + 1 != argc)
        return cli_fail("explain", CLI_USAGE,
                        "name one program; 'narwhal explain --help' tells how");
    e.path = argv[optind];
    int status = explain(&e);
    cleanup(&e);
    return status;
}
