#include "x86_engine.h"

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>
#include <stdlib.h>
#include <string.h>
#include "exec/vcpu.h"
#include "guest/x86/flags.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/segment.h"
#include "guest/x86/state.h"
#include "x86_native.h"

const struct engine_mode engine_modes[] = {
    {"interp", NW_ENGINE_INTERP, false},
    {"dbt", 0, false},
    {"dbt-tlb", NW_ENGINE_NO_FASTMEM, false},
    {"x86-interp", NW_ENGINE_INTERP, true},
    {"x86-dbt", 0, true},
    {0},
};

#define X86_BP_VECTOR 3

struct engine {
    const struct engine_mode *mode;
    unsigned bits;
    nw_engine *nw;
    nw_vcpu *vcpu;
    uint64_t limit;               /* instructions of each run, 0: any number */
    struct x86_state fresh;       /* of a vCPU that has run nothing */
    uint8_t data[CASE_DATA_SIZE]; /* what is there */
    char error[96];
};

static nw_vcpu *volatile running;

void engine_stop(void)
{
    if (running)
        nw_vcpu_stop(running);
}

/* As the host has them, so that what is pushed and read is the same. */
static void describe_segments(struct engine *e)
{
    struct x86_state *s = x86_of(e->vcpu);

    nw_reg_write(e->vcpu, NW_X86_ES, 0x2b);
    if (e->bits == 32) {
        s->seg[X86_CS].selector = 0x23;
        s->seg[X86_CS].attr = (s->seg[X86_CS].attr & ~X86_ATTR_L) | X86_ATTR_DB;
        s->seg[X86_FS].base = CASE_FS_BASE32;
        s->seg[X86_GS].base = CASE_GS_BASE32;
        s->seg[X86_FS].selector = native_fs();
        s->seg[X86_GS].selector = native_gs();
    }
    x86_mode_update(s);
    e->fresh = *s;
}

static bool map(struct engine *e)
{
    return nw_mem_map(e->nw, CASE_CODE, CASE_CODE_SIZE, NW_RX) == NW_OK &&
           nw_mem_map(e->nw, CASE_LOW, CASE_LOW_SIZE, NW_RW) == NW_OK &&
           nw_mem_map(e->nw, CASE_RO, CASE_RO_SIZE, NW_READ) == NW_OK &&
           (e->mode->narrow || nw_mem_map(e->nw, CASE_HIGH, CASE_HIGH_SIZE, NW_RW) == NW_OK);
}

struct engine *engine_new(const struct engine_mode *mode, unsigned bits, const char *cpu)
{
    struct engine *e = calloc(1, sizeof *e);
    nw_config config = {.arch = mode->narrow ? NW_ARCH_X86 : NW_ARCH_X86_64,
                        .cpu = cpu,
                        .flags = mode->flags,
                        .code_buffer = 16u << 20};

    if (!e)
        return NULL;
    e->mode = mode;
    e->bits = bits;
    if (nw_engine_open(&config, &e->nw) != NW_OK || !map(e) ||
        nw_vcpu_create(e->nw, &e->vcpu) != NW_OK) {
        engine_free(e);
        return NULL;
    }
    describe_segments(e);
    return e;
}

void engine_free(struct engine *e)
{
    if (e)
        nw_engine_close(e->nw);
    free(e);
}

const struct engine_mode *engine_mode(const struct engine *e)
{
    return e->mode;
}

const char *engine_error(const struct engine *e)
{
    return e->error;
}

struct nw_engine *engine_handle(const struct engine *e)
{
    return e->nw;
}

void engine_set_limit(struct engine *e, uint64_t insns)
{
    e->limit = insns;
}

bool engine_code(struct engine *e, uint64_t addr, const uint8_t *code, size_t size)
{
    return nw_mem_write(e->nw, addr, code, size) == NW_OK;
}

static void load_state(struct engine *e, const struct case_state *c)
{
    struct x86_state *s = x86_of(e->vcpu);

    *s = e->fresh;
    for (unsigned i = 0; i < 16; i++)
        s->gpr[i] = e->bits == 64 ? c->gpr[i] : i < 8 ? (uint32_t)c->gpr[i] : 0;
    s->pc = c->rip;
    if (e->bits == 64) {
        s->seg[X86_FS].base = c->fs_base;
        s->seg[X86_GS].base = c->gs_base;
    }
    s->seg[X86_DS].selector = c->ds;
    s->seg[X86_ES].selector = c->es;
    s->seg[X86_FS].selector = c->fs;
    s->seg[X86_GS].selector = c->gs;
    s->fpcw = c->fpcw;
    s->fpsw = c->fpsw;
    s->fptag = c->fptag;
    s->fpop = c->fpop;
    s->fpip = c->fpip;
    s->fpdp = c->fpdp;
    memcpy(s->fpr, c->st, sizeof s->fpr);
    memcpy(s->ymm, c->ymm, sizeof s->ymm);
    x86_eflags_write(s, c->eflags, ~0u);
    x86_mxcsr_write(e->vcpu, c->mxcsr);
    x86_mode_update(s);
}

static void take_state(struct engine *e, struct case_state *c)
{
    const struct x86_state *s = x86_of(e->vcpu);

    memcpy(c->gpr, s->gpr, sizeof c->gpr);
    c->rip = s->pc;
    c->fs_base = s->seg[X86_FS].base;
    c->gs_base = s->seg[X86_GS].base;
    c->cs = s->seg[X86_CS].selector;
    c->ds = s->seg[X86_DS].selector;
    c->es = s->seg[X86_ES].selector;
    c->fs = s->seg[X86_FS].selector;
    c->gs = s->seg[X86_GS].selector;
    c->fpcw = s->fpcw;
    c->fpsw = s->fpsw;
    c->fptag = s->fptag;
    c->fpop = s->fpop;
    c->fpip = s->fpip;
    c->fpdp = s->fpdp;
    memcpy(c->st, s->fpr, sizeof c->st);
    memcpy(c->ymm, s->ymm, sizeof c->ymm);
    c->eflags = x86_eflags_read(s);
    c->mxcsr = x86_mxcsr_read(e->vcpu);
}

static void load_data(struct engine *e, const uint8_t *data)
{
    static const struct {
        unsigned at, size;
    } parts[] = {{0, CASE_LOW_SIZE + CASE_RO_SIZE}, {CASE_LOW_SIZE + CASE_RO_SIZE, CASE_HIGH_SIZE}};

    for (unsigned i = 0; i < 2; i++) {
        unsigned at = parts[i].at, size = parts[i].size;
        if (memcmp(e->data + at, data + at, size))
            nw_mem_write(e->nw, case_data_addr(at), data + at, size);
    }
}

static void take_data(struct engine *e)
{
    nw_mem_read(e->nw, CASE_LOW, e->data, CASE_LOW_SIZE + CASE_RO_SIZE);
    if (!e->mode->narrow)
        nw_mem_read(e->nw, CASE_HIGH, e->data + CASE_LOW_SIZE + CASE_RO_SIZE, CASE_HIGH_SIZE);
}

/* Error code of a page fault (SDM 3A 4.7). */
static uint32_t page_error(const nw_exit *x)
{
    return (x->fault == NW_FAULT_PERM ? 1u : 0) | (x->access == NW_ACCESS_WRITE ? 2u : 0) | 4u |
           (x->access == NW_ACCESS_FETCH ? 16u : 0);
}

static bool canonical(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 16) >> 16) == addr;
}

static struct case_outcome outcome_of(struct engine *e, nw_status status, const nw_exit *x)
{
    struct case_outcome o = {.end = CASE_FAULT};

    if (status != NW_OK || x->reason == NW_EXIT_ERROR) {
        snprintf(e->error, sizeof e->error, "%s", nw_status_text(status ? status : x->status));
        o.end = CASE_ERROR;
        return o;
    }
    switch (x->reason) {
    case NW_EXIT_STOP: o.end = CASE_HANG; break;
    case NW_EXIT_UNDEFINED: o.vector = 6; break;
    case NW_EXIT_EXCEPTION:
        o.vector = (uint8_t)x->code;
        o.error = x->error;
        break;
    case NW_EXIT_FAULT:
        if (x->fault == NW_FAULT_ALIGN) {
            o.vector = x->size >= 16 ? 13 : 17;
            break;
        }
        if (e->bits == 64 && !(canonical(x->addr) && canonical(x->addr + x->size - 1)) &&
            x->access != NW_ACCESS_FETCH) {
            o.vector = 13;
            break;
        }
        o.vector = 14;
        o.error = page_error(x);
        o.addr = x->addr;
        break;
    default: snprintf(e->error, sizeof e->error, "exit reason %d", x->reason); o.end = CASE_ERROR;
    }
    return o;
}

void engine_run(struct engine *e, const struct case_state *state, const uint8_t *data,
                struct case_result *out)
{
    nw_exit x = {0};

    load_data(e, data);
    load_state(e, state);
    nw_vcpu_cancel_stop(e->vcpu);
    running = e->vcpu;
    nw_status status;
    do {
        status = nw_vcpu_run(e->vcpu, e->limit, &x);
    } while (status == NW_OK && x.reason == NW_EXIT_LIMIT);
    running = NULL;
    take_state(e, &out->state);
    take_data(e);
    memcpy(out->data, e->data, CASE_DATA_SIZE);
    if (e->mode->narrow)
        memcpy(out->data + CASE_LOW_SIZE + CASE_RO_SIZE, data + CASE_LOW_SIZE + CASE_RO_SIZE,
               CASE_HIGH_SIZE);
    out->outcome = outcome_of(e, status, &x);
    /* A trap: it points behind INT3. */
    if (out->outcome.end == CASE_FAULT && out->outcome.vector == X86_BP_VECTOR) {
        out->outcome.end = CASE_BREAK;
        out->state.rip--;
    }
}
