/* Snapshots: random operations beside a model that copies everything; code; registers; callbacks.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <narwhal/hook.h>
#include <narwhal/snapshot.h>
#include <narwhal/x86.h>

#define CODE   0x10000u
#define DATA   0x100000u
#define PAGE   4096u
#define PAGES  24u
#define SHARED 6u /* pages of the caller's */
#define LEVELS 12u

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

/* mov [rdi],rax, a stop; mov rax,[rdi], a stop; lock xadd [rdi],rax, a stop */
static const uint8_t code[] = {0x48, 0x89, 0x07, 0x90, 0x48, 0x8b, 0x07,
                               0x90, 0xf0, 0x48, 0x0f, 0xc1, 0x07, 0x90};
enum { STORE = CODE, LOAD = CODE + 4, ADD = CODE + 8 };

enum { RCX = NW_X86_RAX + 1, RDX = NW_X86_RAX + 2, RDI = NW_X86_RAX + 7 };

/* ---- the model ---- */

struct object {
    uint8_t bytes[PAGE];
};

struct page {
    struct object *object; /* null: not mapped */
    uint32_t perms;
};

struct level {
    nw_snapshot *snap;
    bool given_up;
    struct page map[PAGES];
    struct object copy[PAGES];
};

struct world {
    nw_engine *engine;
    nw_vcpu *vcpu;
    uint64_t seed;
    struct page map[PAGES];
    struct object *objects[4096];
    unsigned nobjects;
    uint8_t *host; /* of the caller's, not aligned */
    struct object shared[SHARED];
    struct level level[LEVELS];
    unsigned nlevels;
};

static uint32_t random_below(struct world *w, uint32_t n)
{
    w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(w->seed >> 33) % n;
}

static void world_open(struct world *w, uint32_t flags, uint64_t seed)
{
    nw_config config = {.arch = NW_ARCH_X86_64, .flags = flags};
    const uint64_t stops[] = {STORE + 3, LOAD + 3, ADD + 5};

    memset(w, 0, sizeof *w);
    w->seed = seed;
    assert_int_equal(nw_engine_open(&config, &w->engine), NW_OK);
    assert_int_equal(nw_mem_map(w->engine, CODE, PAGE, NW_READ | NW_EXEC), NW_OK);
    assert_int_equal(nw_mem_write(w->engine, CODE, code, sizeof code), NW_OK);
    assert_int_equal(nw_vcpu_create(w->engine, &w->vcpu), NW_OK);
    assert_int_equal(nw_vcpu_set_stops(w->vcpu, stops, 3), NW_OK);
    w->host = (uint8_t *)calloc(SHARED + 1, PAGE) + 24;
}

static void world_close(struct world *w)
{
    nw_engine_close(w->engine);
    while (w->nobjects)
        free(w->objects[--w->nobjects]);
    free(w->host - 24);
}

static uint64_t address(unsigned page)
{
    return DATA + (uint64_t)page * PAGE;
}

static void check_all(struct world *w)
{
    static uint8_t bytes[PAGE];

    for (unsigned n = 0; n < PAGES; n++) {
        nw_status status = nw_mem_read(w->engine, address(n), bytes, PAGE);

        assert_int_equal(status, w->map[n].object ? NW_OK : NW_ERR_UNMAPPED);
        if (w->map[n].object)
            assert_memory_equal(bytes, w->map[n].object->bytes, PAGE);
    }
    for (unsigned n = 0; n < SHARED; n++)
        assert_memory_equal(w->host + n * PAGE, w->shared[n].bytes, PAGE);
}

/* ---- operations ---- */

static void guest_access(struct world *w)
{
    unsigned n = random_below(w, PAGES), kind = random_below(w, 3);
    unsigned offset = random_below(w, 16) ? random_below(w, PAGE - 8) : PAGE - 4;
    uint64_t gva = address(n) + offset, value = w->seed, old = 0;
    uint32_t need = kind == 0 ? NW_WRITE : kind == 1 ? NW_READ : NW_RW;
    struct page *p[2] = {&w->map[n], offset > PAGE - 8 ? &w->map[(n + 1) % PAGES] : &w->map[n]};
    bool ok = p[0]->object && p[1]->object && (p[0]->perms & p[1]->perms & need) == need;
    nw_exit x;

    if (offset > PAGE - 8 && n == PAGES - 1)
        return;
    nw_reg_write(w->vcpu, RDI, gva);
    nw_reg_write(w->vcpu, NW_X86_RAX, value);
    nw_reg_write(w->vcpu, NW_X86_RIP, kind == 0 ? STORE : kind == 1 ? LOAD : ADD);
    assert_int_equal(nw_vcpu_run(w->vcpu, 0, &x), NW_OK);
    assert_int_equal(x.reason, ok ? NW_EXIT_STOP_POINT : NW_EXIT_FAULT);
    if (!ok)
        return;
    for (unsigned i = 0; i < 8; i++) {
        unsigned at = offset + i;
        uint8_t *byte = &p[at >= PAGE]->object->bytes[at % PAGE];
        old |= (uint64_t)*byte << 8 * i;
    }
    if (kind != 0) {
        uint64_t rax;
        nw_reg_read(w->vcpu, NW_X86_RAX, &rax);
        assert_int_equal(rax, old);
    }
    if (kind == 2)
        value += old;
    for (unsigned i = 0; i < 8 && kind != 1; i++) {
        unsigned at = offset + i;
        p[at >= PAGE]->object->bytes[at % PAGE] = (uint8_t)(value >> 8 * i);
    }
}

static void caller_write(struct world *w)
{
    unsigned n = random_below(w, PAGES), at = random_below(w, PAGE);
    uint8_t byte = (uint8_t)w->seed;
    nw_status status = nw_mem_write(w->engine, address(n) + at, &byte, 1);

    assert_int_equal(status, w->map[n].object ? NW_OK : NW_ERR_UNMAPPED);
    if (w->map[n].object)
        w->map[n].object->bytes[at] = byte;
}

static bool free_range(const struct world *w, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (w->map[i].object)
            return false;
    return true;
}

static void map(struct world *w)
{
    unsigned first = random_below(w, PAGES), n = 1 + random_below(w, 4);
    uint32_t perms = random_below(w, 8);

    if (first + n > PAGES || w->nobjects + n > 4096)
        return;
    bool ok = free_range(w, first, n);
    nw_status status = nw_mem_map(w->engine, address(first), n * PAGE, perms);

    assert_int_equal(status, ok ? NW_OK : NW_ERR_OVERLAP);
    for (unsigned i = first; ok && i < first + n; i++) {
        w->objects[w->nobjects] = calloc(1, sizeof(struct object));
        w->map[i] = (struct page){w->objects[w->nobjects++], perms};
    }
}

static void map_ptr(struct world *w)
{
    unsigned at = random_below(w, PAGES), from = random_below(w, SHARED);

    if (w->map[at].object)
        return;
    assert_int_equal(nw_mem_map_ptr(w->engine, address(at), PAGE, NW_RWX, w->host + from * PAGE),
                     NW_OK);
    w->map[at] = (struct page){&w->shared[from], NW_RWX};
}

static bool all_mapped(const struct world *w, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (!w->map[i].object)
            return false;
    return true;
}

static void change(struct world *w, bool unmap)
{
    unsigned first = random_below(w, PAGES), n = 1 + random_below(w, 3);
    uint32_t perms = random_below(w, 8);

    if (first + n > PAGES)
        return;
    bool ok = all_mapped(w, first, n);
    nw_status status = unmap ? nw_mem_unmap(w->engine, address(first), n * PAGE)
                             : nw_mem_protect(w->engine, address(first), n * PAGE, perms);

    assert_int_equal(status, ok ? NW_OK : NW_ERR_UNMAPPED);
    for (unsigned i = first; ok && i < first + n; i++) {
        w->map[i].perms = perms;
        if (unmap)
            w->map[i].object = NULL;
    }
}

static void take(struct world *w)
{
    struct level *l = &w->level[w->nlevels];

    if (w->nlevels == LEVELS)
        return;
    assert_int_equal(nw_snapshot_take(w->engine, 0, &l->snap), NW_OK);
    l->given_up = false;
    memcpy(l->map, w->map, sizeof l->map);
    for (unsigned n = 0; n < PAGES; n++)
        if (l->map[n].object)
            l->copy[n] = *l->map[n].object;
    w->nlevels++;
}

static void restore(struct world *w)
{
    if (!w->nlevels)
        return;
    unsigned which = random_below(w, w->nlevels);
    struct level *l = &w->level[which];
    nw_status status = nw_snapshot_restore(l->snap);

    assert_int_equal(status, l->given_up ? NW_ERR_ARG : NW_OK);
    if (l->given_up)
        return;
    for (unsigned n = which + 1; n < w->nlevels; n++)
        w->level[n].given_up = true;
    memcpy(w->map, l->map, sizeof w->map);
    for (unsigned n = 0; n < PAGES; n++)
        if (l->map[n].object)
            *l->map[n].object = l->copy[n];
}

static void drop(struct world *w)
{
    if (!w->nlevels)
        return;
    unsigned which = random_below(w, w->nlevels);

    nw_snapshot_drop(w->level[which].snap);
    w->nlevels--;
    memmove(&w->level[which], &w->level[which + 1], (w->nlevels - which) * sizeof w->level[0]);
}

static void operation(struct world *w)
{
    switch (random_below(w, 32)) {
    case 0: take(w); break;
    case 1: restore(w); break;
    case 2:
        if (!random_below(w, 3))
            drop(w);
        break;
    case 3:
    case 4: map(w); break;
    case 5: map_ptr(w); break;
    case 6: change(w, true); break;
    case 7: change(w, false); break;
    case 8:
    case 9: caller_write(w); break;
    default: guest_access(w);
    }
}

static void test_random(void **state)
{
    static struct world w;

    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        for (unsigned round = 0; round < 12; round++) {
            world_open(&w, modes[m], 1000 * m + round);
            for (unsigned n = 0; n < 1500; n++) {
                operation(&w);
                if (n % 16 == 0)
                    check_all(&w);
            }
            check_all(&w);
            world_close(&w);
        }
    }
}

/* ---- code, registers, callbacks ---- */

/* mov eax,1; mov byte [rip-11],2: the program changes its own constant. */
static const uint8_t patcher[] = {0xb8, 1, 0, 0, 0, 0xc6, 0x05, 0xf5, 0xff, 0xff, 0xff, 2, 0x90};

static uint64_t run_patcher(nw_vcpu *vcpu)
{
    uint64_t rax = 0;
    nw_exit x;

    nw_reg_write(vcpu, NW_X86_RIP, CODE);
    assert_int_equal(nw_vcpu_run(vcpu, 0, &x), NW_OK);
    assert_int_equal(x.reason, NW_EXIT_STOP_POINT);
    nw_reg_read(vcpu, NW_X86_RAX, &rax);
    return rax;
}

static void test_code(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        nw_config config = {.arch = NW_ARCH_X86_64, .flags = modes[m]};
        const uint64_t stop = CODE + 12;
        nw_engine *engine;
        nw_snapshot *snap;
        nw_vcpu *vcpu;

        assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
        assert_int_equal(nw_mem_map(engine, CODE, PAGE, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_write(engine, CODE, patcher, sizeof patcher), NW_OK);
        assert_int_equal(nw_vcpu_create(engine, &vcpu), NW_OK);
        assert_int_equal(nw_vcpu_set_stops(vcpu, &stop, 1), NW_OK);
        assert_int_equal(nw_snapshot_take(engine, 0, &snap), NW_OK);
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(run_patcher(vcpu), 1);
            assert_int_equal(run_patcher(vcpu), 2);
            assert_int_equal(nw_snapshot_restore(snap), NW_OK);
        }
        /* A program that was mapped in its place is gone too. */
        assert_int_equal(nw_mem_unmap(engine, CODE, PAGE), NW_OK);
        assert_int_equal(nw_mem_map(engine, CODE, PAGE, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_write(engine, CODE, patcher, sizeof patcher), NW_OK);
        assert_int_equal(nw_mem_write(engine, CODE + 1, "\x07", 1), NW_OK);
        assert_int_equal(run_patcher(vcpu), 7);
        assert_int_equal(nw_snapshot_restore(snap), NW_OK);
        assert_int_equal(run_patcher(vcpu), 1);
        nw_engine_close(engine);
    }
}

static void on_code(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    nw_snapshot **snap = user;
    uint64_t rcx;

    (void)pc, (void)size;
    nw_reg_read(vcpu, RCX, &rcx);
    if (rcx++ >= 3)
        return;
    assert_int_equal(nw_snapshot_restore(*snap), NW_OK);
    nw_reg_write(vcpu, RCX, rcx);
}

/* Back to the start three times, from a callback of the running vCPU. */
static void test_callback(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        nw_config config = {.arch = NW_ARCH_X86_64, .flags = modes[m]};
        const uint64_t stop = CODE + 4;
        const uint8_t program[] = {0xff, 0x07, 0xff, 0xc2, 0x90}; /* inc [rdi]; inc edx */
        nw_snapshot *snap;
        nw_hook_spec spec = {.kind = NW_HOOK_CODE,
                             .begin = CODE + 2,
                             .end = CODE + 2,
                             .code = on_code,
                             .user = &snap};
        nw_engine *engine;
        nw_vcpu *vcpu;
        nw_hook *hook;
        nw_exit x;
        uint64_t v = 0;

        assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
        assert_int_equal(nw_mem_map(engine, CODE, PAGE, NW_READ | NW_EXEC), NW_OK);
        assert_int_equal(nw_mem_map(engine, DATA, PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_mem_write(engine, CODE, program, sizeof program), NW_OK);
        assert_int_equal(nw_vcpu_create(engine, &vcpu), NW_OK);
        assert_int_equal(nw_vcpu_set_stops(vcpu, &stop, 1), NW_OK);
        assert_int_equal(nw_hook_add(engine, &spec, &hook), NW_OK);
        nw_reg_write(vcpu, RDI, DATA);
        nw_reg_write(vcpu, NW_X86_RIP, CODE);
        assert_int_equal(nw_snapshot_take(engine, NW_SNAPSHOT_VCPUS, &snap), NW_OK);
        assert_int_equal(nw_vcpu_run(vcpu, 0, &x), NW_OK);
        assert_int_equal(x.reason, NW_EXIT_STOP_POINT);
        nw_reg_read(vcpu, RCX, &v);
        assert_int_equal(v, 3);
        nw_reg_read(vcpu, RDX, &v);
        assert_int_equal(v, 1);
        assert_int_equal(nw_mem_read(engine, DATA, &v, 8), NW_OK);
        assert_int_equal(v, 1);
        assert_int_equal(nw_snapshot_restore(snap), NW_OK);
        nw_reg_read(vcpu, RDX, &v);
        assert_int_equal(v, 0);
        nw_snapshot_drop(snap);
        nw_engine_close(engine);
    }
}

/* ---- threads ---- */

/* inc rax; mov [rdi],rax; mov [rdi+0x1000],rax; and on */
static const uint8_t counter[] = {0x48, 0xff, 0xc0, 0x48, 0x89, 0x07, 0x48, 0x89,
                                  0x87, 0x00, 0x10, 0x00, 0x00, 0xeb, 0xf1};

static void *run_counter(void *vcpu)
{
    nw_exit x;

    nw_vcpu_run(vcpu, 0, &x);
    return NULL;
}

static void check_counters(nw_engine *engine)
{
    for (unsigned n = 0; n < 2; n++) {
        uint64_t v[2] = {0};

        nw_mem_read(engine, DATA + 2 * n * PAGE, &v[0], 8);
        nw_mem_read(engine, DATA + (2 * n + 1) * PAGE, &v[1], 8);
        assert_true(v[0] - v[1] <= 1);
    }
}

/* Two vCPUs write while snapshots come and go; what the last one kept is the same each time. */
static void test_threads(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 4; m++) {
        nw_config config = {.arch = NW_ARCH_X86_64, .flags = modes[m]};
        static uint8_t first[4 * PAGE], again[4 * PAGE];
        nw_snapshot *snap[3] = {NULL};
        pthread_t thread[2];
        nw_vcpu *vcpu[2];
        nw_engine *engine;

        assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
        assert_int_equal(nw_mem_map(engine, CODE, PAGE, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_map(engine, DATA, 4 * PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_mem_write(engine, CODE, counter, sizeof counter), NW_OK);
        for (unsigned n = 0; n < 2; n++) {
            assert_int_equal(nw_vcpu_create(engine, &vcpu[n]), NW_OK);
            nw_reg_write(vcpu[n], RDI, DATA + 2 * n * PAGE);
            nw_reg_write(vcpu[n], NW_X86_RIP, CODE);
            assert_int_equal(pthread_create(&thread[n], NULL, run_counter, vcpu[n]), 0);
        }
        for (unsigned n = 0; n < 60; n++) {
            nw_snapshot_drop(snap[n % 3]);
            assert_int_equal(nw_snapshot_take(engine, 0, &snap[n % 3]), NW_OK);
            if (n % 4 == 3)
                assert_int_equal(nw_snapshot_restore(snap[n % 3]), NW_OK);
            usleep(200);
        }
        for (unsigned n = 0; n < 2; n++) {
            nw_vcpu_stop(vcpu[n]);
            pthread_join(thread[n], NULL);
        }
        assert_int_equal(nw_snapshot_restore(snap[59 % 3]), NW_OK);
        check_counters(engine);
        nw_mem_read(engine, DATA, first, sizeof first);
        nw_mem_write(engine, DATA + 1, code, sizeof code);
        assert_int_equal(nw_snapshot_restore(snap[59 % 3]), NW_OK);
        nw_mem_read(engine, DATA, again, sizeof again);
        assert_memory_equal(first, again, sizeof first);
        nw_engine_close(engine);
    }
}

static void test_arguments(void **state)
{
    nw_config config = {.arch = NW_ARCH_ARM};
    nw_engine *engine;
    nw_snapshot *snap;

    (void)state;
    assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
    assert_int_equal(nw_snapshot_take(NULL, 0, &snap), NW_ERR_ARG);
    assert_int_equal(nw_snapshot_take(engine, 0, NULL), NW_ERR_ARG);
    assert_int_equal(nw_snapshot_take(engine, 2, &snap), NW_ERR_ARG);
    assert_int_equal(nw_snapshot_restore(NULL), NW_ERR_ARG);
    nw_snapshot_drop(NULL);
    assert_int_equal(nw_snapshot_take(engine, 0, &snap), NW_OK);
    assert_int_equal(nw_mem_map(engine, 0, PAGE, NW_RW), NW_OK);
    assert_int_equal(nw_snapshot_restore(snap), NW_OK);
    assert_int_equal(nw_mem_unmap(engine, 0, PAGE), NW_ERR_UNMAPPED);
    nw_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),    cmocka_unit_test(test_code),
        cmocka_unit_test(test_callback),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
