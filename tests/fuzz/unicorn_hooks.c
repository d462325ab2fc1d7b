/* Callbacks and hooks for fuzz_unicorn.c. */
#include "unicorn_world.h"

/* ---- callbacks: each may make any call ---- */

/* The runs that a callback is in are bound by COUNT, the calls of all callbacks by INNER. */
static void inside(struct world *w)
{
    CHECK_MODES(w);
    while (w->inner < INNER && one_in(w, 6)) {
        w->inner++;
        act(w);
    }
}

static bool answer(struct world *w)
{
    inside(w);
    return w->inner < INNER && one_in(w, 2);
}

static void on_code(uc_engine *uc, uint64_t pc, uint32_t size, void *user)
{
    struct world *w = user;

    (void)pc, (void)size;
    FUZZ_CHECK(uc == w->running, "another one runs");
    inside(w);
}

static void on_intr(uc_engine *uc, uint32_t number, void *user)
{
    struct world *w = user;

    (void)number;
    FUZZ_CHECK(uc == w->running, "another one runs");
    inside(w);
    if (one_in(w, 8))
        uc_emu_stop(uc);
}

static bool on_invalid(uc_engine *uc, void *user)
{
    (void)uc;
    return answer(user);
}

static uint32_t on_in(uc_engine *uc, uint32_t port, int size, void *user)
{
    (void)uc;
    FUZZ_CHECK(size == 1 || size == 2 || size == 4, "size %d", size);
    inside(user);
    return port;
}

static void on_out(uc_engine *uc, uint32_t port, int size, uint32_t value, void *user)
{
    (void)uc, (void)port, (void)value;
    FUZZ_CHECK(size == 1 || size == 2 || size == 4, "size %d", size);
    inside(user);
}

static void on_syscall(uc_engine *uc, void *user)
{
    (void)uc;
    inside(user);
}

static int on_insn(uc_engine *uc, void *user)
{
    (void)uc;
    return answer(user);
}

/* Outside of runs, for uc_vmem_translate and its like, registers only: those may be about to go. */
static bool on_fill(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *result, void *user)
{
    struct world *w = user;

    (void)uc, (void)type;
    if (w->depth) {
        inside(w);
    } else if (w->inner < INNER && one_in(w, 6)) {
        w->inner++;
        regs(w);
    }
    result->paddr = one_in(w, 3) ? page(w) : va & ~(uint64_t)(PAGE - 1);
    result->perms = (uc_prot)(one_in(w, 4) ? below(w, 8) : UC_PROT_ALL);
    return !one_in(w, 8);
}

static void on_edge(uc_engine *uc, uc_tb *now, uc_tb *before, void *user)
{
    (void)uc;
    FUZZ_CHECK(now && before, "block");
    inside(user);
}

static void on_compare(uc_engine *uc, uint64_t pc, uint64_t a, uint64_t b, uint32_t size,
                       void *user)
{
    (void)uc, (void)pc, (void)a, (void)b, (void)size;
    inside(user);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t at, int size, int64_t value,
                      void *user)
{
    struct world *w = user;

    /* Not always of the one that runs: writing a segment register reads its descriptor. */
    (void)uc, (void)at, (void)value;
    FUZZ_CHECK(type >= UC_MEM_READ && type <= UC_MEM_READ_AFTER, "type %d", type);
    FUZZ_CHECK(size > 0, "size %d", size);
    inside(w);
}

static bool on_fault(uc_engine *uc, uc_mem_type type, uint64_t at, int size, int64_t value,
                     void *user)
{
    struct world *w = user;

    (void)type, (void)size, (void)value;
    inside(w);
    if (one_in(w, 3))
        return uc_mem_map(uc, at & ~(uint64_t)(PAGE - 1), PAGE, UC_PROT_ALL) == UC_ERR_OK;
    return one_in(w, 6);
}

uint64_t on_mmio_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    FUZZ_CHECK(size == 1 || size == 2 || size == 4 || size == 8, "size %u", size);
    inside(user);
    return offset * 0x01010101;
}

void on_mmio_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    (void)uc, (void)offset, (void)value;
    FUZZ_CHECK(size == 1 || size == 2 || size == 4 || size == 8, "size %u", size);
    inside(user);
}

/* ---- hooks ---- */

/* The range of a hook: mostly everywhere, or a few pages. */
static void range(struct world *w, uint64_t *begin, uint64_t *end)
{
    *begin = one_in(w, 2) ? 1 : address(w);
    *end = *begin == 1 ? 0 : *begin + below(w, 3 * PAGE);
}

/* Both ends of each access, wherever it is. */
void hook_memory(struct world *w)
{
    int types = one_in(w, 2) ? UC_HOOK_MEM_VALID | UC_HOOK_MEM_READ_AFTER
                             : UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE;

    check(uc_hook_add(w->uc, &w->hook[below(w, HOOKS)], types, (void *)on_access, w, (uint64_t)1,
                      (uint64_t)0));
}

static uc_err add_insn(struct world *w, uc_engine *uc, uc_hook *hh, uint64_t begin, uint64_t end)
{
    static const char *const names[] = {"svc", "mrs", "ldr", "add", "cpuid", "mov", "nothing"};
    int insn = (int)below(w, UC_X86_INS_ENDING + 2);

    switch (below(w, 7)) {
    case 0: return uc_hook_add(uc, hh, UC_HOOK_INSN, (void *)on_in, w, begin, end, UC_X86_INS_IN);
    case 1: return uc_hook_add(uc, hh, UC_HOOK_INSN, (void *)on_out, w, begin, end, UC_X86_INS_OUT);
    case 2: insn = UC_X86_INS_SYSCALL; break;
    case 3: insn = UC_X86_INS_SYSENTER; break;
    case 4: insn = UC_X86_INS_CPUID; break;
    case 5: check(uc_ctl_nw_insn_id(uc, names[below(w, 7)], &insn)); break;
    default: break;
    }
    if (insn == UC_X86_INS_IN || insn == UC_X86_INS_OUT)
        return UC_ERR_OK;
    return uc_hook_add(uc, hh, UC_HOOK_INSN,
                       insn == UC_X86_INS_SYSCALL || insn == UC_X86_INS_SYSENTER
                           ? (void *)on_syscall
                           : (void *)on_insn,
                       w, begin, end, insn);
}

static uc_err add_native(struct world *w, uc_engine *uc, uc_hook *hh, uint64_t begin, uint64_t end)
{
    int blocks = (int)below(w, 2);

    switch (below(w, 3)) {
    case 0: return uc_ctl_nw_counter(uc, hh, &w->counter, blocks, begin, end);
    case 1: return uc_ctl_nw_ring(uc, hh, &w->ring, blocks, begin, end);
    default: return uc_ctl_nw_coverage(uc, hh, w->coverage, sizeof w->coverage, begin, end);
    }
}

void hook_add(struct world *w)
{
    static const struct {
        int types;
        void *callback;
    } kinds[] = {
        {UC_HOOK_INTR, (void *)on_intr},
        {UC_HOOK_CODE | UC_HOOK_BLOCK, (void *)on_code},
        {UC_HOOK_MEM_INVALID, (void *)on_fault},
        {UC_HOOK_MEM_VALID | UC_HOOK_MEM_READ_AFTER, (void *)on_access},
        {UC_HOOK_INSN_INVALID, (void *)on_invalid},
        {UC_HOOK_EDGE_GENERATED, (void *)on_edge},
        {UC_HOOK_TCG_OPCODE, (void *)on_compare},
        {UC_HOOK_TLB_FILL, (void *)on_fill},
    };
    uc_hook *hh = &w->hook[below(w, HOOKS)], made = 0;
    uc_engine *uc = engine(w);
    unsigned kind = below(w, sizeof kinds / sizeof kinds[0] + 2);
    uint64_t begin, end;
    uc_err error;

    range(w, &begin, &end);
    if (kind == sizeof kinds / sizeof kinds[0]) {
        error = add_insn(w, uc, &made, begin, end);
    } else if (kind > sizeof kinds / sizeof kinds[0]) {
        error = add_native(w, uc, &made, begin, end);
    } else {
        int types = kinds[kind].types;

        if (w->arena && kinds[kind].callback == (void *)on_access)
            return;
        if (one_in(w, 2))
            types &= (int)next(w);
        error = uc_hook_add(uc, one_in(w, 64) ? NULL : &made, types,
                            one_in(w, 64) ? NULL : kinds[kind].callback, w, begin, end,
                            (int)one_in(w, 16), (int)below(w, 4));
    }
    if (check(error) == UC_ERR_OK && made)
        *hh = made;
}

void hook_del(struct world *w)
{
    check(uc_hook_del(engine(w), one_in(w, 16) ? (uc_hook)next(w) : w->hook[below(w, HOOKS)]));
}
