#include "toy.h"

#include "exec/engine.h"

const struct toy_mode toy_modes[] = {
    {"interp", NW_ENGINE_INTERP},
    {"interp, tlb", NW_ENGINE_INTERP | NW_ENGINE_NO_FASTMEM},
    {"dbt", 0},
    {"dbt, no chain", NW_ENGINE_NO_CHAIN},
    {"dbt, tlb", NW_ENGINE_NO_FASTMEM},
    {"dbt, tlb, no chain", NW_ENGINE_NO_FASTMEM | NW_ENGINE_NO_CHAIN},
    {NULL, 0},
};

bool toy_translates(const struct toy_mode *m)
{
    return !(m->flags & NW_ENGINE_INTERP);
}

bool toy_chains(const struct toy_mode *m)
{
    return toy_translates(m) && !(m->flags & NW_ENGINE_NO_CHAIN);
}

bool toy_has_arena(const struct toy_mode *m)
{
    return toy_translates(m) && !(m->flags & NW_ENGINE_NO_FASTMEM);
}

struct toy toy_open_config(const struct toy_mode *m, nw_config config)
{
    struct toy t = {0};

    print_message("    %s\n", m->name);
    config.flags |= m->flags;
    assert_int_equal(engine_open(&config, &toy_guest, &t.engine), NW_OK);
    assert_int_equal(nw_mem_map(t.engine, 0, 0x9000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(t.engine, TOY_DATA, 0x10000, NW_RW), NW_OK);
    assert_int_equal(nw_vcpu_create(t.engine, &t.vcpu), NW_OK);
    toy_set(&t, TOY_PC, TOY_CODE);
    return t;
}

struct toy toy_open(const struct toy_mode *m)
{
    return toy_open_config(m, (nw_config){0});
}

void toy_close(struct toy *t)
{
    nw_engine_close(t->engine);
}

void toy_load(struct toy *t, uint32_t at, const uint32_t *words, size_t n)
{
    assert_int_equal(nw_mem_write(t->engine, at, words, n * sizeof *words), NW_OK);
}

void toy_set(struct toy *t, unsigned reg, uint32_t value)
{
    assert_int_equal(nw_reg_write(t->vcpu, reg, value), NW_OK);
}

uint32_t toy_get(struct toy *t, unsigned reg)
{
    uint64_t v;

    assert_int_equal(nw_reg_read(t->vcpu, reg, &v), NW_OK);
    return (uint32_t)v;
}

nw_exit_reason toy_run(struct toy *t, uint32_t pc, uint64_t limit)
{
    if (pc != ~0u)
        toy_set(t, TOY_PC, pc);
    assert_int_equal(nw_vcpu_run(t->vcpu, limit, &t->exit), NW_OK);
    assert_int_equal(t->exit.pc, toy_get(t, TOY_PC));
    return t->exit.reason;
}

uint32_t toy_peek(struct toy *t, uint32_t at)
{
    uint32_t v;

    assert_int_equal(nw_mem_read(t->engine, at, &v, sizeof v), NW_OK);
    return v;
}

void toy_poke(struct toy *t, uint32_t at, uint32_t value)
{
    assert_int_equal(nw_mem_write(t->engine, at, &value, sizeof value), NW_OK);
}

nw_stats toy_stats(struct toy *t)
{
    nw_stats s;

    nw_engine_stats(t->engine, &s);
    return s;
}
