#include "wide.h"

#include "exec/engine.h"
#include "mem/space.h"

struct wide wide_open(const struct toy_mode *m)
{
    nw_config config = {.flags = m->flags};
    struct wide w = {0};

    print_message("    %s\n", m->name);
    assert_int_equal(engine_open(&config, &wide_guest, &w.engine), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, 0, 0x9000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(w.engine, WIDE_DATA, 0x10000, NW_RW), NW_OK);
    assert_int_equal(nw_vcpu_create(w.engine, &w.vcpu), NW_OK);
    return w;
}

void wide_load(struct wide *w, uint64_t at, const uint32_t *words, size_t n)
{
    assert_int_equal(nw_mem_write(w->engine, at, words, n * sizeof *words), NW_OK);
}

void wide_set(struct wide *w, unsigned reg, uint64_t value)
{
    assert_int_equal(nw_reg_write(w->vcpu, reg, value), NW_OK);
}

uint64_t wide_get(struct wide *w, unsigned reg)
{
    uint64_t v;

    assert_int_equal(nw_reg_read(w->vcpu, reg, &v), NW_OK);
    return v;
}

nw_exit_reason wide_run(struct wide *w, uint64_t pc)
{
    wide_set(w, WIDE_PC, pc);
    assert_int_equal(nw_vcpu_run(w->vcpu, 0, &w->exit), NW_OK);
    return w->exit.reason;
}

uint64_t wide_peek(struct wide *w, uint64_t at)
{
    uint64_t v;

    assert_int_equal(nw_mem_read(w->engine, at, &v, sizeof v), NW_OK);
    return v;
}

void wide_poke(struct wide *w, uint64_t at, uint64_t v)
{
    assert_int_equal(nw_mem_write(w->engine, at, &v, sizeof v), NW_OK);
}

void wide_expect_fault(struct wide *w, nw_access access, nw_fault fault, uint64_t addr)
{
    assert_int_equal(w->exit.reason, NW_EXIT_FAULT);
    assert_int_equal(w->exit.access, access);
    assert_int_equal(w->exit.fault, fault);
    assert_int_equal(w->exit.addr, addr);
}

uint64_t wide_window_end(struct wide *w)
{
    uint64_t end = mem_window(w->engine);

    return end ? end : 1ull << 35;
}
