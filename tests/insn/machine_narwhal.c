#include "machine.h"

#include <narwhal/arm.h>
#include <narwhal/narwhal.h>
#include <stdlib.h>
#include <string.h>

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
    uint8_t code[MACHINE_PAGE]; /* what is there, so that only changes are written */
};

static struct machine *open_with(const char *cpu, uint32_t flags)
{
    struct machine *m = calloc(1, sizeof *m);
    nw_config config = {.arch = NW_ARCH_ARM, .cpu = cpu, .flags = flags, .code_buffer = 1 << 20};
    if (!m || nw_engine_open(&config, &m->engine) != NW_OK ||
        nw_mem_map(m->engine, MACHINE_CODE, MACHINE_PAGE, NW_RWX) != NW_OK ||
        nw_mem_map(m->engine, MACHINE_DATA, MACHINE_PAGE, NW_RW) != NW_OK ||
        nw_vcpu_create(m->engine, &m->vcpu) != NW_OK) {
        if (m)
            nw_engine_close(m->engine);
        free(m);
        return NULL;
    }
    return m;
}

static void close_machine(struct machine *m)
{
    nw_engine_close(m->engine);
    free(m);
}

static bool load(struct machine *m, const struct machine_state *s)
{
    bool ok = true;
    if (memcmp(m->code, s->code, MACHINE_PAGE)) {
        ok &= nw_mem_write(m->engine, MACHINE_CODE, s->code, MACHINE_PAGE) == NW_OK;
        memcpy(m->code, s->code, MACHINE_PAGE);
    }
    ok &= nw_mem_write(m->engine, MACHINE_DATA, s->data, MACHINE_PAGE) == NW_OK;
    ok &= nw_reg_write(m->vcpu, NW_ARM_CPSR, s->cpsr) == NW_OK;
    for (unsigned i = 0; i < 16; i++)
        ok &= nw_reg_write(m->vcpu, NW_ARM_R0 + i, s->r[i]) == NW_OK;
    uint32_t mode = s->cpsr & 0x1f;
    if (mode != 0x10 && mode != 0x1f)
        ok &= nw_reg_write(m->vcpu, NW_ARM_SPSR, s->spsr) == NW_OK;
    ok &= nw_reg_write(m->vcpu, NW_ARM_FPSCR, s->fpscr) == NW_OK;
    ok &= nw_reg_write(m->vcpu, NW_ARM_TPIDRURW, s->tpidrurw) == NW_OK;
    ok &= nw_reg_write(m->vcpu, NW_ARM_TPIDRURO, s->tpidruro) == NW_OK;
    for (unsigned i = 0; i < 32; i++)
        ok &= nw_reg_write(m->vcpu, NW_ARM_D0 + i, s->d[i]) == NW_OK;
    return ok;
}

static uint64_t reg(struct machine *m, unsigned number)
{
    uint64_t v = 0;
    return nw_reg_read(m->vcpu, number, &v) == NW_OK ? v : 0xdeadbeef;
}

static void store(struct machine *m, struct machine_state *s)
{
    for (unsigned i = 0; i < 16; i++)
        s->r[i] = (uint32_t)reg(m, NW_ARM_R0 + i);
    s->cpsr = (uint32_t)reg(m, NW_ARM_CPSR);
    uint32_t mode = s->cpsr & 0x1f;
    if (mode != 0x10 && mode != 0x1f)
        s->spsr = (uint32_t)reg(m, NW_ARM_SPSR);
    s->fpscr = (uint32_t)reg(m, NW_ARM_FPSCR);
    s->tpidrurw = (uint32_t)reg(m, NW_ARM_TPIDRURW);
    s->tpidruro = (uint32_t)reg(m, NW_ARM_TPIDRURO);
    for (unsigned i = 0; i < 32; i++)
        s->d[i] = reg(m, NW_ARM_D0 + i);
    nw_mem_read(m->engine, MACHINE_CODE, s->code, MACHINE_PAGE);
    memcpy(m->code, s->code, MACHINE_PAGE);
    nw_mem_read(m->engine, MACHINE_DATA, s->data, MACHINE_PAGE);
}

static void outcome_of(const nw_exit *exit, struct machine_state *s)
{
    static const enum machine_outcome fault[] = {OUT_FAULT_READ, OUT_FAULT_WRITE, OUT_FAULT_FETCH};
    s->code_or_addr = 0;
    s->misaligned = exit->reason == NW_EXIT_FAULT && exit->fault == NW_FAULT_ALIGN;
    s->unpredictable = exit->reason == NW_EXIT_UNDEFINED && exit->code == 1;
    switch (exit->reason) {
    case NW_EXIT_LIMIT: s->outcome = OUT_OK; break;
    case NW_EXIT_SYSCALL: s->outcome = OUT_SVC, s->code_or_addr = exit->code; break;
    case NW_EXIT_UNDEFINED: s->outcome = OUT_UNDEFINED; break;
    case NW_EXIT_BREAKPOINT: s->outcome = OUT_BKPT, s->code_or_addr = exit->code; break;
    case NW_EXIT_HALT: s->outcome = OUT_HALT; break;
    case NW_EXIT_FAULT:
        s->outcome = fault[exit->access];
        s->code_or_addr = (uint32_t)exit->addr;
        break;
    default: s->outcome = OUT_ERROR; break;
    }
}

static void run(struct machine *m, struct machine_state *s, unsigned steps)
{
    nw_exit exit = {0};
    if (!load(m, s) || nw_vcpu_run(m->vcpu, steps, &exit) != NW_OK) {
        s->outcome = OUT_ERROR;
        return;
    }
    store(m, s);
    outcome_of(&exit, s);
}

#define MODE(fn, flags)                                                                            \
    static struct machine *fn(const char *cpu)                                                     \
    {                                                                                              \
        return open_with(cpu, flags);                                                              \
    }
MODE(open_interp, NW_ENGINE_INTERP)
MODE(open_interp_tlb, NW_ENGINE_INTERP | NW_ENGINE_NO_FASTMEM)
MODE(open_dbt, 0)
MODE(open_dbt_nochain, NW_ENGINE_NO_CHAIN)
MODE(open_dbt_tlb, NW_ENGINE_NO_FASTMEM)
MODE(open_dbt_tlb_nochain, NW_ENGINE_NO_FASTMEM | NW_ENGINE_NO_CHAIN)

const struct machine_kind machine_narwhal[] = {
    {"interp", open_interp, close_machine, run},
    {"interp-tlb", open_interp_tlb, close_machine, run},
    {"dbt", open_dbt, close_machine, run},
    {"dbt-nochain", open_dbt_nochain, close_machine, run},
    {"dbt-tlb", open_dbt_tlb, close_machine, run},
    {"dbt-tlb-nochain", open_dbt_tlb_nochain, close_machine, run},
    {0},
};
