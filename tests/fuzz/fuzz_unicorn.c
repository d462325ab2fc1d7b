/* Random sequences of calls of the Unicorn interface: fuzz_unicorn SEED SECONDS [SEQUENCE]
 *
 * Each sequence opens an engine, makes every kind of call in any order, from callbacks too, and
 * frees everything. What must hold: no crash, no leak, no hang, and the few rules that are checked
 * here. A failure prints the seed and the number of the sequence; with that number as the third
 * argument this one sequence runs alone. SECONDS 0: one sequence.
 *
 * Host pointers are real ones or null, callbacks fit their hooks, and contexts are those of engines
 * of this process: anything else is outside of the contract. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "unicorn_world.h"

/* For the message of a failure. */
static unsigned long long seed, sequence;
static volatile unsigned step;
static volatile bool in_child;

static void where(void)
{
    char text[160];
    int n = snprintf(text, sizeof text, "fuzz_unicorn: seed %llu, sequence %llu, step %u%s\n", seed,
                     sequence, step, in_child ? ", in a child" : "");

    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(2);
}

static void on_signal(int number)
{
    if (number == SIGALRM) {
        static const char text[] = "fuzz_unicorn: hang\n";

        if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
            _exit(2);
    }
    where();
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* ---- memory ---- */

static void mem_map(struct world *w)
{
    check(uc_mem_map(engine(w), one_in(w, 24) ? address(w) : page(w), length(w), perms(w)));
}

static void mem_map_ptr(struct world *w)
{
    uint32_t first = below(w, HOST / PAGE);
    uint64_t size = (1 + (uint64_t)below(w, HOST / PAGE - first)) * PAGE;
    uint8_t *at = one_in(w, 24) ? NULL : w->host + first * (size_t)PAGE;

    if (w->arena)
        return;
    check(uc_mem_map_ptr(engine(w), page(w), size, perms(w), at));
}

static void mmio_map(struct world *w)
{
    check(uc_mmio_map(engine(w), page(w), length(w), one_in(w, 8) ? NULL : on_mmio_read, w,
                      one_in(w, 8) ? NULL : on_mmio_write, w));
}

static void mem_unmap(struct world *w)
{
    check(uc_mem_unmap(engine(w), page(w), length(w)));
}

static void mem_protect(struct world *w)
{
    check(uc_mem_protect(engine(w), page(w), length(w), perms(w)));
}

static void mem_regions(struct world *w)
{
    uc_engine *uc = engine(w);
    uc_mem_region *regions = NULL;
    uint32_t count = 0;
    size_t page_size = 0;

    check(uc_mem_regions(uc, one_in(w, 16) ? NULL : &regions, &count));
    if (regions)
        check(uc_query(uc, UC_QUERY_PAGE_SIZE, &page_size));
    for (uint32_t n = 0; regions && n < count; n++) {
        FUZZ_CHECK(!(regions[n].begin & (page_size - 1)) &&
                       !((regions[n].end + 1) & (page_size - 1)) &&
                       regions[n].begin < regions[n].end,
                   "region %u", n);
        for (uint32_t m = 0; m < n; m++)
            FUZZ_CHECK(regions[m].end < regions[n].begin || regions[n].end < regions[m].begin,
                       "regions %u and %u", m, n);
    }
    check(uc_free(regions));
}

static void mem_access(struct world *w)
{
    uint8_t bytes[2 * PAGE];
    uint64_t at = address(w), size = one_in(w, 4) ? below(w, sizeof bytes) : below(w, 64);
    uc_prot prot = (uc_prot)(one_in(w, 16) ? below(w, 16) : 1u << below(w, 3));
    void *buffer = one_in(w, 32) ? NULL : bytes;

    fill(w, bytes, size);
    switch (below(w, 5)) {
    case 0: check(uc_mem_read(engine(w), at, buffer, size)); break;
    case 1: check(uc_mem_write(engine(w), at, buffer, size)); break;
    case 2: check(uc_vmem_read(engine(w), at, prot, buffer, size)); break;
    case 3: check(uc_vmem_write(engine(w), at, prot, buffer, size)); break;
    default: check(uc_vmem_translate(engine(w), at, prot, one_in(w, 16) ? NULL : &at)); break;
    }
}

static void mem_code(struct world *w)
{
    uint8_t bytes[96];
    uint64_t at = page(w) + (one_in(w, 3) ? PAGE - 48 : below(w, 64) * 4);
    uc_engine *uc = engine(w);

    code(w, bytes, sizeof bytes);
    if (uc_mem_write(uc, at, bytes, sizeof bytes) == UC_ERR_OK && one_in(w, 2))
        check(uc_mem_write(uc, at, bytes, 4));
}

/* ---- registers ---- */

struct values {
    uint8_t bytes[BATCH][VALUE];
    void *at[BATCH];
    size_t size[BATCH];
    int id[BATCH], count;
};

static void values(struct world *w, struct values *v)
{
    v->count = one_in(w, 16) ? -1 : (int)below(w, BATCH + 1);
    for (int n = 0; n < BATCH; n++) {
        memset(v->bytes[n], 0, VALUE);
        fill(w, v->bytes[n], 64);
        v->at[n] = one_in(w, 48) ? NULL : v->bytes[n];
        v->size[n] = one_in(w, 2) ? 8 : below(w, 80);
        v->id[n] = reg(w);
    }
}

void regs(struct world *w)
{
    struct values v;
    uc_engine *uc = engine(w);
    const int *ids = one_in(w, 64) ? NULL : v.id;
    size_t *sizes = one_in(w, 64) ? NULL : v.size;

    values(w, &v);
    switch (below(w, 8)) {
    case 0: check(uc_reg_read(uc, v.id[0], v.at[0])); break;
    case 1: check(uc_reg_write(uc, v.id[0], v.at[0])); break;
    case 2: check(uc_reg_read2(uc, v.id[0], v.at[0], sizes)); break;
    case 3: check(uc_reg_write2(uc, v.id[0], v.at[0], sizes)); break;
    case 4: check(uc_reg_read_batch(uc, ids, v.at, v.count)); break;
    case 5: check(uc_reg_write_batch(uc, ids, v.at, v.count)); break;
    case 6: check(uc_reg_read_batch2(uc, ids, v.at, sizes, v.count)); break;
    default: check(uc_reg_write_batch2(uc, ids, (const void *const *)v.at, sizes, v.count)); break;
    }
}

static void context_regs(struct world *w)
{
    struct values v;
    uc_context *c = w->context[below(w, CONTEXTS)];
    const int *ids = one_in(w, 64) ? NULL : v.id;
    size_t *sizes = one_in(w, 64) ? NULL : v.size;

    values(w, &v);
    switch (below(w, 8)) {
    case 0: check(uc_context_reg_read(c, v.id[0], v.at[0])); break;
    case 1: check(uc_context_reg_write(c, v.id[0], v.at[0])); break;
    case 2: check(uc_context_reg_read2(c, v.id[0], v.at[0], sizes)); break;
    case 3: check(uc_context_reg_write2(c, v.id[0], v.at[0], sizes)); break;
    case 4: check(uc_context_reg_read_batch(c, ids, v.at, v.count)); break;
    case 5: check(uc_context_reg_write_batch(c, ids, v.at, v.count)); break;
    case 6: check(uc_context_reg_read_batch2(c, ids, v.at, sizes, v.count)); break;
    default:
        check(uc_context_reg_write_batch2(c, ids, (const void *const *)v.at, sizes, v.count));
        break;
    }
}

/* ---- contexts and snapshots ---- */

static void context(struct world *w)
{
    uc_context **c = &w->context[below(w, CONTEXTS)];
    uc_engine *uc = engine(w);

    switch (below(w, 6)) {
    case 0:
        check(uc_context_free(*c));
        *c = NULL;
        break;
    case 1: FUZZ_CHECK(uc_context_size(w->uc), "size of contexts"); break;
    case 2:
    case 3: check(uc_context_restore(uc, *c)); break;
    default:
        if (!*c && check(uc_context_alloc(uc, c)) != UC_ERR_OK)
            *c = NULL;
        check(uc_context_save(uc, *c));
        break;
    }
}

static void snapshot(struct world *w)
{
    uint64_t id = one_in(w, 8) ? next(w) : w->snapshot;

    switch (below(w, 3)) {
    case 0:
        if (w->arena)
            break;
        check(uc_ctl_nw_snapshot_take(engine(w), &w->snapshot));
        break;
    case 1: check(uc_ctl_nw_snapshot_restore(engine(w), id)); break;
    default: check(uc_ctl_nw_snapshot_drop(engine(w), id)); break;
    }
}

/* ---- uc_ctl and what is asked ---- */

static void ctl_exits(struct world *w)
{
    uint64_t exits[8];
    size_t n = below(w, 9);
    uc_engine *uc = engine(w);

    for (size_t i = 0; i < 8; i++)
        exits[i] = address(w);
    switch (below(w, 5)) {
    case 0: check(uc_ctl_exits_enable(uc)); break;
    case 1: check(uc_ctl_exits_disable(uc)); break;
    case 2: check(uc_ctl_get_exits_cnt(uc, &n)); break;
    case 3: check(uc_ctl_get_exits(uc, exits, n)); break;
    default: check(uc_ctl_set_exits(uc, one_in(w, 16) ? NULL : exits, n)); break;
    }
}

static void ctl_code(struct world *w)
{
    uint64_t at = address(w), end = at + length(w);
    uc_engine *uc = engine(w);
    uc_tb tb = {0};

    switch (below(w, 4)) {
    case 0: check(uc_ctl_flush_tb(uc)); break;
    case 1: check(uc_ctl_flush_tlb(uc)); break;
    case 2: check(uc_ctl_remove_cache(uc, at, end)); break;
    default: check(uc_ctl_request_cache(uc, at, one_in(w, 8) ? NULL : &tb)); break;
    }
}

static void ctl(struct world *w)
{
    uint64_t out = 0;
    uc_engine *uc = engine(w);

    switch (below(w, 10)) {
    case 0: check(uc_ctl_get_mode(uc, (int *)&out)); break;
    case 1: check(uc_ctl_get_arch(uc, (int *)&out)); break;
    case 2: check(uc_ctl_get_timeout(uc, &out)); break;
    case 3: check(uc_ctl_get_page_size(uc, (uint32_t *)&out)); break;
    case 4: check(uc_ctl_set_page_size(uc, (uint32_t)next(w))); break;
    case 5: check(uc_ctl_get_cpu_model(uc, (int *)&out)); break;
    case 6: check(uc_ctl_set_cpu_model(uc, (int)below(w, 42) - 2)); break;
    case 7: check(uc_ctl_get_tcg_buffer_size(uc, (uint32_t *)&out)); break;
    case 8: check(uc_ctl_tlb_mode(uc, (int)below(w, 3))); break;
    default: check(uc_ctl_context_mode(uc, (int)below(w, 5))); break;
    }
    /* Numbers that there are not, whatever the rest of the word says. */
    check(uc_ctl(uc, (uc_control_type)(((uint32_t)next(w) & ~0xffffu) | (1000 + below(w, 60000))),
                 &out, &out));
}

static void ask(struct world *w)
{
    static const int beyond = 20;
    unsigned major, minor;
    size_t result = 0;

    check(uc_query(engine(w), (uc_query_type)below(w, 8), one_in(w, 16) ? NULL : &result));
    check(uc_errno(engine(w)));
    FUZZ_CHECK(uc_strerror((uc_err)((int)below(w, UC_ERR_OVERFLOW + 2u * beyond) - beyond)),
               "text");
    FUZZ_CHECK(uc_version(one_in(w, 2) ? &major : NULL, one_in(w, 2) ? &minor : NULL), "version");
    FUZZ_CHECK(uc_arch_supported(w->arch), "arch");
    uc_arch_supported((uc_arch)(int)next(w));
}

/* ---- running ---- */

static void run(struct world *w, uc_engine *uc, uint64_t begin, uint64_t until, size_t count)
{
    uint64_t timeout = one_in(w, w->forks ? 4 : 32) ? UC_SECOND_SCALE : 0;
    uc_engine *outer = w->running;

    if (w->depth >= DEPTH)
        return;
    w->running = uc;
    w->depth++;
    check(uc_emu_start(uc, begin, until, timeout, count));
    CHECK_MODES(w);
    w->depth--;
    w->running = outer;
}

/* Some counts are of more than one slice of the engine's (see SLICE in src/exec/dispatch.c). */
static size_t count(struct world *w)
{
    if (w->depth)
        return 1 + below(w, 50);
    return 1 + below(w, one_in(w, 16) ? 100 * COUNT : COUNT);
}

static void emu_start(struct world *w)
{
    uint64_t begin = one_in(w, 8) ? address(w) : page(w) + below(w, 64) * 4;
    uint64_t until = one_in(w, 4) ? begin + below(w, 64) : address(w);

    if (w->arch == UC_ARCH_ARM)
        begin |= below(w, 2);
    run(w, engine(w), begin, until, count(w));
}

/* Thousands of stores beside the code that makes them, or into it. */
static void store_beside(struct world *w)
{
    static const int x86[] = {UC_X86_REG_RDI, UC_X86_REG_RBX, UC_X86_REG_RCX, UC_X86_REG_RAX};
    static const int arm[] = {UC_ARM_REG_R1, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R0};
    uint64_t in = (uint64_t)below(w, 16) * PAGE, at = in + below(w, 250) * 16;
    uint64_t to = one_in(w, 3) ? at + below(w, 64) : in + below(w, PAGE), times = 10 * COUNT;
    uint64_t value = next(w);
    const void *values[] = {&to, &to, &times, &value};
    uc_engine *uc = engine(w);
    bool thumb = w->arch == UC_ARCH_ARM && one_in(w, 2);
    uint8_t bytes[LOOP];

    loop(w, bytes, thumb);
    check(uc_mem_write(uc, at, bytes, sizeof bytes));
    for (unsigned n = 0; n < 4; n++)
        check(uc_reg_write(uc, w->arch == UC_ARCH_ARM ? arm[n] : x86[n], values[n]));
    run(w, uc, at | thumb, 0xfff0, 1 + below(w, 15 * COUNT));
}

static void emu_stop(struct world *w)
{
    check(uc_emu_stop(engine(w)));
}

/* Some memory with code and registers that point into it, so that most runs get somewhere. */
static void prepare(struct world *w, uc_engine *uc)
{
    uint8_t bytes[2 * PAGE];

    if (one_in(w, 8))
        return;
    code(w, bytes, sizeof bytes);
    check(uc_mem_map(uc, 0, 16 * PAGE, UC_PROT_ALL));
    for (unsigned n = 0; n < 4; n++)
        check(uc_mem_write(uc, n * sizeof bytes, bytes, sizeof bytes));
    for (int id = 1; id < (w->arch == UC_ARCH_ARM ? UC_ARM_REG_ENDING : 60); id++) {
        uint8_t value[VALUE] = {0};
        uint64_t at = below(w, 16 * PAGE);

        memcpy(value, &at, sizeof at);
        if (one_in(w, 2))
            check(uc_reg_write(uc, id, value));
    }
}

/* Engines come and go outside of callbacks only. */
static void open_more(struct world *w)
{
    uc_engine *uc = NULL;

    if (check(uc_open((uc_arch)below(w, 14), (uc_mode)next(w), one_in(w, 8) ? NULL : &uc)) ==
        UC_ERR_OK)
        check(uc_close(uc));
    check(uc_close(NULL));
    if (w->depth || one_in(w, 2))
        return;
    if (w->other) {
        check(uc_close(w->other));
        w->other = NULL;
    } else if (one_in(w, 4)) {
        FUZZ_CHECK(check(uc_open(w->arch, w->mode, &w->other)) == UC_ERR_OK, "open");
        prepare(w, w->other);
    } else if (check(uc_ctl_nw_vcpu(w->uc, &w->other)) != UC_ERR_OK) {
        w->other = NULL;
    }
}

/* The child goes on where it is, in a callback too, or makes some calls only; sanitizers look for
 * no leaks in it. */
static void fork_here(struct world *w)
{
    int status = 0;
    pid_t pid;

    w->forks--;
    pid = fork();
    FUZZ_CHECK(pid >= 0, "fork");
    if (pid) {
        alarm(2 * WATCHDOG); /* the child's comes first */
        FUZZ_CHECK(waitpid(pid, &status, 0) == pid && status == 0, "child: status %#x", status);
        alarm(WATCHDOG);
        return;
    }
    alarm(WATCHDOG);
    w->child = in_child = true;
    w->forks = 0;
    if (one_in(w, 2))
        return;
    for (unsigned n = below(w, 10); n > 0; n--)
        act(w);
    _exit(0);
}

void act(struct world *w)
{
    static void (*const calls[])(struct world *) = {
        mem_map,      mem_map,    mem_map_ptr, mmio_map,  mem_unmap, mem_protect,
        mem_regions,  mem_access, mem_access,  mem_code,  mem_code,  regs,
        regs,         regs,       hook_add,    hook_add,  hook_add,  hook_del,
        context_regs, context,    context,     snapshot,  ctl_exits, ctl_code,
        ctl,          ask,        emu_start,   emu_start, emu_start, emu_stop,
    };

    if (w->forks && one_in(w, 16))
        fork_here(w);
    if (one_in(w, w->arena ? 50 : 150))
        store_beside(w);
    calls[below(w, sizeof calls / sizeof calls[0])](w);
}

/* ---- sequences ---- */

static void run_sequence(uint64_t number)
{
    static const struct {
        uc_arch arch;
        uc_mode mode;
    } guests[] = {
        {UC_ARCH_X86, UC_MODE_16},  {UC_ARCH_X86, UC_MODE_32},    {UC_ARCH_X86, UC_MODE_64},
        {UC_ARCH_ARM, UC_MODE_ARM}, {UC_ARCH_ARM, UC_MODE_THUMB},
    };
    struct world *w = calloc(1, sizeof *w);
    uint32_t modes = fp_modes();
    unsigned guest, steps;

    FUZZ_CHECK(w, "memory");
    w->random = (seed * 0x9e3779b97f4a7c15u) ^ (number * 0xd1342543de82ef95u);
    w->host = aligned_alloc(PAGE, HOST);
    FUZZ_CHECK(w->host, "memory");
    code(w, w->host, HOST);
    w->ring = (uc_nw_ring){w->ring_entries, 16, 0};
    guest = below(w, sizeof guests / sizeof guests[0]);
    w->arch = guests[guest].arch;
    w->mode = guests[guest].mode;
    FUZZ_CHECK(check(uc_open(w->arch, w->mode, &w->uc)) == UC_ERR_OK, "open");
    /* What the first call makes final is asked before it now and then. */
    if (one_in(w, 4))
        ctl(w);
    prepare(w, w->uc);
    if (one_in(w, 4))
        w->arena = true;
    else if (one_in(w, 3))
        hook_memory(w);
    if (one_in(w, FORKS))
        w->forks = 1 + below(w, 3);
    if (one_in(w, 4)) /* rounding, DAZ, FZ */
        set_fp_modes(fp_modes() | (below(w, 8) << 13) | (below(w, 2) << 6));
    w->modes = fp_modes();
    steps = below(w, STEPS);
    for (step = 0; step < steps; step++) {
        if (one_in(w, 20))
            open_more(w);
        act(w);
    }
    if (w->other)
        check(uc_close(w->other));
    for (unsigned n = 0; n < CONTEXTS; n++)
        check(uc_context_free(w->context[n]));
    FUZZ_CHECK(check(uc_close(w->uc)) == UC_ERR_OK, "close");
    if (w->child)
        _exit(0);
    set_fp_modes(modes);
    free(w->host);
    free(w);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Of the sanitizers; without them it is not there. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

int main(int argc, char **argv)
{
    double end;
    unsigned long long done = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: %s SEED SECONDS [SEQUENCE]\n", argv[0]);
        return 2;
    }
    seed = strtoull(argv[1], NULL, 0);
    end = now() + strtod(argv[2], NULL);
    sequence = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;
    signal(SIGALRM, on_signal);
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(where);
    do {
        alarm(WATCHDOG);
        run_sequence(sequence);
        alarm(0);
        sequence++;
        done++;
    } while (argc == 3 && now() < end);
    printf("seed %llu: %llu sequences\n", seed, done);
    return 0;
}
