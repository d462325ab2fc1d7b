/* narwhal explain: a range of a program as guest code, IR and host code. */
#include "cli.h"

#include <errno.h>
#include <narwhal/arm.h>
#include <narwhal/x86.h>
#include <stdlib.h>
#include <unistd.h>

#include "exec/engine.h"
#include "explain.h"
#include "guest/arm/state.h"
#include "ir/pass.h"
#include "mem/mem.h"
#include "program.h"

enum { OPT_FROM = CLI_OPT_FIRST, OPT_COUNT };

#define SCRATCH     (256u << 10)
#define BLOCK_INSNS 64u

static const struct option options[] = {
    CLI_ENGINE_OPTIONS,
    {"from", required_argument, NULL, OPT_FROM},
    {"count", required_argument, NULL, OPT_COUNT},
    {0},
};

static int help(void)
{
    fputs("usage: narwhal explain [OPTIONS] PROGRAM\n\n"
          "  --from WHERE      function name or address (ARM: odd for Thumb); the entry point "
          "unless told\n"
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
    struct host_runtime runtime;
    uint8_t *scratch;
};

/* A function's last block ends with it. */
static bool fetch(struct lift_request *req, uint64_t addr, void *buf, unsigned size)
{
    const uint64_t *end = req->opaque;
    return addr < *end && mem_fetch(req->vcpu, addr, buf, size);
}

/* Where to begin: *ADDR, of ARM with bit 0 for Thumb, *BYTES of the function or 0. */
static int locate(struct explain *e, uint64_t *addr, uint64_t *bytes)
{
    *bytes = 0;
    *addr = e->program.entry;
    if (!e->from)
        return CLI_OK;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(e->from, &end, 0);
    if (end != e->from && !*end && !errno && *e->from != '-') {
        bool thumb;
        *addr = value;
        if (e->program.arch == NW_ARCH_ARM && !(value & 1) &&
            program_is_thumb(&e->program, *addr, &thumb))
            *addr |= thumb;
        return CLI_OK;
    }
    if (program_symbol(&e->program, e->from, addr, bytes))
        return CLI_OK;
    return cli_fail("explain", CLI_FAILED, "'%s' has no function '%s'; give an address instead",
                    e->path, e->from);
}

static nw_status set_pc(struct explain *e, uint64_t pc)
{
    bool arm = e->program.arch == NW_ARCH_ARM;
    return nw_reg_write(e->vcpu, arm ? (unsigned)NW_ARM_PC : (unsigned)NW_X86_RIP, pc);
}

/* Lifts, translates and shows the block at PC, of at most MOST instructions and before END. */
static int show_block(struct explain *e, const struct explain_view *view, uint64_t pc, uint64_t end,
                      uint32_t most, struct ir_region *region)
{
    struct lift_request req = {.vcpu = e->vcpu, .fetch = fetch, .opaque = &end, .max_insns = most};
    struct host_options host_options = engine_host_options(e->engine);
    struct host_buffer block = {e->scratch + e->runtime.size, e->scratch + e->runtime.size,
                                SCRATCH - e->runtime.size};
    uint8_t code[BLOCK_INSNS * 16];
    if (set_pc(e, pc) == NW_OK)
        req.key = view->guest->key(e->vcpu);
    if (req.key.pc != pc || guest_lift(e->builder, region, &req) != NW_OK || !region->size ||
        region->size > sizeof code || !mem_fetch(e->vcpu, pc, code, region->size))
        return cli_fail("explain", CLI_FAILED, "there is no code at 0x%llx",
                        (unsigned long long)pc);
    int status = CLI_OK;
    struct host_code out = {.exits = calloc(region->exits.len + 1, sizeof *out.exits)};
    if (ir_run_passes(region) != NW_OK || !out.exits ||
        host_emit(e->emitter, view->guest, region, &host_options, &e->runtime, e->runtime.size,
                  block, &out) != NW_OK)
        status = cli_fail("explain", CLI_FAILED, "the block at 0x%llx could not be translated",
                          (unsigned long long)pc);
    else
        explain_block(view, region, code, block.rw, &out);
    VEC_FREE(&out.sites);
    VEC_FREE(&out.insn_offsets);
    free(out.exits);
    return status;
}

static int show(struct explain *e, uint64_t addr, uint64_t bytes)
{
    struct explain_view view = {.out = stdout,
                                .listing = e->listing,
                                .guest = e->engine->guest,
                                .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    struct host_buffer buffer = {.rw = e->scratch, .rx = e->scratch, .size = SCRATCH};
    if (host_emit_runtime(buffer, view.guest, &e->runtime) != NW_OK)
        return cli_fail("explain", CLI_FAILED, "the host back end cannot work here");
    uint64_t pc = addr;
    if (e->program.arch == NW_ARCH_ARM) {
        arm_of(e->vcpu)->thumb = addr & 1;
        pc &= ~1ull;
    }
    uint64_t end = bytes ? pc + bytes : UINT64_MAX;
    uint32_t left = e->count ? e->count : bytes ? UINT32_MAX : 32;
    struct ir_region region;
    ir_region_init(&region);
    int status = CLI_OK;
    while (status == CLI_OK && left && pc < end) {
        status = show_block(e, &view, pc, end, left < BLOCK_INSNS ? left : BLOCK_INSNS, &region);
        left -= region.ninsns < left ? region.ninsns : left;
        pc += region.size;
    }
    ir_region_free(&region);
    return status;
}

static int explain(struct explain *e)
{
    char why[300];
    if (!program_open(&e->program, e->path, why, sizeof why))
        return cli_fail("explain", CLI_FAILED, "%s", why);
    nw_config config = {
        .arch = e->program.arch, .cpu = e->engine_options.cpu, .flags = e->engine_options.flags};
    nw_status s = nw_engine_open(&config, &e->engine);
    if (s == NW_OK)
        s = program_map(&e->program, e->engine);
    if (s == NW_OK)
        s = nw_vcpu_create(e->engine, &e->vcpu);
    if (s == NW_ERR_CPU)
        return cli_fail("explain", CLI_FAILED, "unknown CPU model '%s'; try %s",
                        e->engine_options.cpu, nw_cpu_models(e->program.arch));
    if (s != NW_OK)
        return cli_fail("explain", CLI_FAILED, "'%s': %s", e->path, nw_status_text(s));
    e->builder = ir_builder_new();
    e->emitter = host_emitter_new();
    e->listing = listing_new(0, stdout);
    e->scratch = malloc(SCRATCH);
    if (!e->builder || !e->emitter || !e->listing || !e->scratch)
        return cli_fail("explain", CLI_FAILED, "out of memory");
    uint64_t addr, bytes;
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
