/* Engines on several threads at once: what they compute, stops from other threads at any moment,
 * opening and closing, engines that are handed on, and hooks that use other engines.
 * ThreadSanitizer is to be silent here. Threads count what is wrong; only the first one asserts. */
#include "uc_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define WORKERS 4

/* xor eax,eax; 2: add eax,ecx; mov [rsi],eax; mov edx,[rsi]; dec ecx; jnz 2b */
static const uint8_t x86_sum[] = {0x31, 0xc0, 0x01, 0xc8, 0x89, 0x06,
                                  0x8b, 0x16, 0xff, 0xc9, 0x75, 0xf6};
/* mov r0,#0; 4: add r0,r0,r1; str r0,[r3]; ldr r2,[r3]; subs r1,r1,#1; bne 4b */
static const uint8_t arm_sum[] = "\x00\x00\xa0\xe3\x01\x00\x80\xe0\x00\x00\x83\xe5\x00\x20\x93\xe5"
                                 "\x01\x10\x51\xe2\xfa\xff\xff\x1a";
/* movs r0,#0; 2: adds r0,r0,r1; str r0,[r3]; ldr r2,[r3]; subs r1,#1; bne 2b */
static const uint8_t thumb_sum[] = "\x00\x20\x40\x18\x18\x60\x1a\x68\x01\x39\xfa\xd1";
/* inc eax; jmp to it */
static const uint8_t x86_endless[] = {0xff, 0xc0, 0xeb, 0xfc};
/* add r0,r0,#1; b to it */
static const uint8_t arm_endless[] = "\x01\x00\x80\xe2\xfd\xff\xff\xea";

struct guest {
    uc_arch arch;
    uc_mode mode;
    const uint8_t *sum;
    size_t size;
    const uint8_t *endless;
    size_t endless_size;
    int counter, pointer, result, pc;
    uint64_t thumb;
};

static const struct guest guests[WORKERS] = {
    {UC_ARCH_X86, UC_MODE_64, x86_sum, sizeof x86_sum, x86_endless, sizeof x86_endless,
     UC_X86_REG_RCX, UC_X86_REG_RSI, UC_X86_REG_EAX, UC_X86_REG_RIP, 0},
    {UC_ARCH_ARM, UC_MODE_ARM, arm_sum, sizeof arm_sum - 1, arm_endless, sizeof arm_endless - 1,
     UC_ARM_REG_R1, UC_ARM_REG_R3, UC_ARM_REG_R0, UC_ARM_REG_PC, 0},
    {UC_ARCH_X86, UC_MODE_32, x86_sum, sizeof x86_sum, x86_endless, sizeof x86_endless,
     UC_X86_REG_ECX, UC_X86_REG_ESI, UC_X86_REG_EAX, UC_X86_REG_EIP, 0},
    {UC_ARCH_ARM, UC_MODE_THUMB, thumb_sum, sizeof thumb_sum - 1, arm_endless,
     sizeof arm_endless - 1, UC_ARM_REG_R1, UC_ARM_REG_R3, UC_ARM_REG_R0, UC_ARM_REG_PC, 1},
};

struct worker {
    pthread_t thread;
    const struct guest *guest;
    uc_engine *uc;
    unsigned bad; /* first line of this file where something was wrong */
    unsigned calls;
    unsigned rounds;
    struct worker *other;
    atomic_bool done;
    atomic_uint runs;
};

/* In a thread: notes where something is wrong first. */
#define CHECK(w, condition)                                                                        \
    do {                                                                                           \
        if (!(condition) && !(w)->bad)                                                             \
            (w)->bad = __LINE__;                                                                   \
    } while (0)

static uint32_t reg(uc_engine *uc, int id)
{
    uint64_t value = 0;

    uc_reg_read(uc, id, &value);
    return (uint32_t)value;
}

static void set(uc_engine *uc, int id, uint64_t value)
{
    uc_reg_write(uc, id, &value);
}

static uc_engine *open_guest(struct worker *w, const uint8_t *code, size_t size)
{
    const struct guest *g = w->guest;
    uc_engine *uc = NULL;

    CHECK(w, uc_open(g->arch, g->mode, &uc) == UC_ERR_OK);
    if (!uc)
        return NULL;
    CHECK(w, uc_mem_map(uc, CODE, 0x10000, UC_PROT_ALL) == UC_ERR_OK);
    CHECK(w, uc_mem_write(uc, CODE, code, size) == UC_ERR_OK);
    set(uc, g->pointer, DATA);
    return uc;
}

/* The sum of 1 to N by the guest's code. */
static void sum(struct worker *w, uc_engine *uc, uint32_t n)
{
    const struct guest *g = w->guest;

    set(uc, g->counter, n);
    CHECK(w, uc_emu_start(uc, CODE | g->thumb, CODE + g->size, 0, 0) == UC_ERR_OK);
    CHECK(w, reg(uc, g->result) == n * (n + 1) / 2);
}

static void start_all(struct worker *w, unsigned n, void *(*function)(void *))
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_create(&w[i].thread, NULL, function, &w[i]), 0);
}

static void join_all(struct worker *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_join(w[i].thread, NULL), 0);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(w[i].bad, 0);
}

/* ---- engines of their own ---- */

static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct worker *w = user;

    (void)address, (void)size;
    CHECK(w, uc == w->uc);
    w->calls++;
}

static void on_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                      void *user)
{
    struct worker *w = user;

    (void)type, (void)value;
    CHECK(w, uc == w->uc && address == DATA && size == 4);
    w->calls++;
}

static bool on_fault(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                     void *user)
{
    struct worker *w = user;

    (void)type, (void)size, (void)value;
    CHECK(w, uc_mem_map(uc, address & ~0xfffull, 0x1000, UC_PROT_ALL) == UC_ERR_OK);
    w->calls++;
    return true;
}

static void use_engine(struct worker *w, uc_engine *uc)
{
    const struct guest *g = w->guest;
    uc_hook code, memory, fault;
    uc_context *context;
    uint32_t n = 100;

    sum(w, uc, 2000);
    CHECK(w, uc_context_alloc(uc, &context) == UC_ERR_OK);
    CHECK(w, uc_context_save(uc, context) == UC_ERR_OK);
    CHECK(w, uc_hook_add(uc, &code, UC_HOOK_CODE, (void *)on_code, w, 1, 0) == UC_ERR_OK);
    w->calls = 0;
    sum(w, uc, n);
    CHECK(w, w->calls == 5 * n + 1);
    CHECK(w, uc_hook_del(uc, code) == UC_ERR_OK);
    CHECK(w, uc_hook_add(uc, &memory, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)on_memory, w, 1,
                         0) == UC_ERR_OK);
    w->calls = 0;
    sum(w, uc, n);
    CHECK(w, w->calls == 2 * n);
    CHECK(w, uc_hook_del(uc, memory) == UC_ERR_OK);
    CHECK(w, uc_context_restore(uc, context) == UC_ERR_OK);
    CHECK(w, reg(uc, g->result) == 2001000);
    CHECK(w, uc_context_free(context) == UC_ERR_OK);
    CHECK(w, uc_hook_add(uc, &fault, UC_HOOK_MEM_UNMAPPED, (void *)on_fault, w, 1, 0) == UC_ERR_OK);
    w->calls = 0;
    set(uc, g->pointer, NOWHERE);
    sum(w, uc, n);
    CHECK(w, w->calls == 1);
}

static void *own_engines(void *opaque)
{
    struct worker *w = opaque;

    for (unsigned i = 0; i < w->rounds; i++) {
        w->uc = open_guest(w, w->guest->sum, w->guest->size);
        if (!w->uc)
            return NULL;
        use_engine(w, w->uc);
        CHECK(w, uc_close(w->uc) == UC_ERR_OK);
    }
    return NULL;
}

static void test_own_engines(void **state)
{
    struct worker w[WORKERS] = {0};

    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        w[i].guest = &guests[i];
        w[i].rounds = 10;
    }
    start_all(w, WORKERS, own_engines);
    join_all(w, WORKERS);
}

static void *open_and_close(void *opaque)
{
    struct worker *w = opaque;

    for (unsigned i = 0; i < w->rounds; i++) {
        uc_engine *uc = open_guest(w, w->guest->sum, w->guest->size);

        if (uc && i % 2)
            sum(w, uc, 3);
        CHECK(w, uc_close(uc) == UC_ERR_OK);
    }
    return NULL;
}

static void test_open_and_close(void **state)
{
    struct worker w[WORKERS] = {0};

    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        w[i].guest = &guests[i];
        w[i].rounds = 40;
    }
    start_all(w, WORKERS, open_and_close);
    join_all(w, WORKERS);
}

/* ---- stops ---- */

/* Runs without end, again and again, until it is done; each run is ended by a stop or by its time.
 */
static void *run_endlessly(void *opaque)
{
    struct worker *w = opaque;
    const struct guest *g = w->guest;

    while (!atomic_load(&w->done)) {
        uint64_t timeout = atomic_load(&w->runs) % 4 == 3 ? 300 : 0;

        CHECK(w, uc_emu_start(w->uc, CODE, 0, timeout, 0) == UC_ERR_OK);
        CHECK(w, (reg(w->uc, g->pc) & ~4u) == CODE || reg(w->uc, g->pc) == CODE + 2);
        atomic_fetch_add(&w->runs, 1);
    }
    return NULL;
}

static void pause_at_random(unsigned *seed)
{
    struct timespec t = {0, (*seed = *seed * 1664525 + 1013904223) >> 14};

    if (*seed >> 30)
        nanosleep(&t, NULL);
    else
        sched_yield();
}

/* Stops the other's engine at random moments until it has made enough runs. */
static void *stop_other(void *opaque)
{
    struct worker *w = opaque;
    unsigned seed = (unsigned)(uintptr_t)w;

    while (atomic_load(&w->other->runs) < w->rounds) {
        pause_at_random(&seed);
        CHECK(w, uc_emu_stop(w->other->uc) == UC_ERR_OK);
    }
    return NULL;
}

static void test_stops(void **state)
{
    enum { ENGINES = 2, STOPPERS = 3 };
    struct worker runners[ENGINES] = {0}, stoppers[STOPPERS] = {0}, *w;

    (void)state;
    for (unsigned i = 0; i < ENGINES; i++) {
        w = &runners[i];
        w->guest = &guests[i];
        w->uc = open_guest(w, w->guest->endless, w->guest->endless_size);
        assert_non_null(w->uc);
    }
    for (unsigned i = 0; i < STOPPERS; i++) {
        stoppers[i].other = &runners[i % ENGINES];
        stoppers[i].rounds = 150;
    }
    start_all(runners, ENGINES, run_endlessly);
    start_all(stoppers, STOPPERS, stop_other);
    join_all(stoppers, STOPPERS);
    /* A stop before the start is lost: so they are stopped until they have seen that they are done.
     */
    for (unsigned i = 0; i < ENGINES; i++) {
        unsigned runs = atomic_load(&runners[i].runs);

        atomic_store(&runners[i].done, true);
        for (unsigned k = 0; k < 100000 && atomic_load(&runners[i].runs) == runs; k++) {
            uc_emu_stop(runners[i].uc);
            sched_yield();
        }
    }
    join_all(runners, ENGINES);
    for (unsigned i = 0; i < ENGINES; i++)
        ok(uc_close(runners[i].uc));
}

/* ---- several engines of one thread, and engines of several threads ---- */

/* A hook that keeps its notes in another engine, and computes there. */
static void note_in_other(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct worker *w = user, *other = w->other;
    uint32_t n = 0;

    (void)uc, (void)size;
    CHECK(w, uc_mem_read(other->uc, DATA + 64, &n, 4) == UC_ERR_OK);
    n++;
    CHECK(w, uc_mem_write(other->uc, DATA + 64, &n, 4) == UC_ERR_OK);
    set(other->uc, other->guest->counter, address);
    CHECK(w, reg(other->uc, other->guest->counter) == address);
    if (n % 16 == 0)
        sum(other, other->uc, n);
}

static void *use_two(void *opaque)
{
    struct worker *w = opaque, second = {.guest = &guests[(w->guest - guests + 1) % WORKERS]};
    uint32_t n = 0;
    uc_hook hook;

    w->uc = open_guest(w, w->guest->sum, w->guest->size);
    second.uc = open_guest(&second, second.guest->sum, second.guest->size);
    w->other = &second;
    CHECK(w, uc_hook_add(w->uc, &hook, UC_HOOK_CODE, (void *)note_in_other, w, 1, 0) == UC_ERR_OK);
    sum(w, w->uc, 100);
    CHECK(w, uc_mem_read(second.uc, DATA + 64, &n, 4) == UC_ERR_OK);
    CHECK(w, n == 501);
    CHECK(w, second.bad == 0);
    CHECK(w, uc_close(second.uc) == UC_ERR_OK);
    CHECK(w, uc_close(w->uc) == UC_ERR_OK);
    return NULL;
}

static void test_two_in_each_thread(void **state)
{
    struct worker w[WORKERS] = {0};

    (void)state;
    for (unsigned i = 0; i < WORKERS; i++)
        w[i].guest = &guests[i];
    start_all(w, WORKERS, use_two);
    join_all(w, WORKERS);
}

static void *use_once(void *opaque)
{
    struct worker *w = opaque;

    use_engine(w, w->uc);
    set(w->uc, w->guest->pointer, DATA);
    CHECK(w, uc_mem_unmap(w->uc, NOWHERE, 0x1000) == UC_ERR_OK);
    return NULL;
}

static void *close_it(void *opaque)
{
    struct worker *w = opaque;

    CHECK(w, uc_close(w->uc) == UC_ERR_OK);
    return NULL;
}

/* Opened here, used by one thread after the other, closed by another one. */
static void test_handed_on(void **state)
{
    struct worker w[WORKERS] = {0};

    (void)state;
    for (unsigned i = 0; i < WORKERS; i++) {
        w[i].guest = &guests[i];
        w[i].uc = open_guest(&w[i], guests[i].sum, guests[i].size);
    }
    for (unsigned round = 0; round < 3; round++) {
        start_all(w, WORKERS, use_once);
        join_all(w, WORKERS);
    }
    start_all(w, WORKERS, close_it);
    join_all(w, WORKERS);
}

/* Of two running engines each one's hook stops the other; the last one runs to its end. */
static void stop_the_other(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct worker *w = user;

    (void)uc, (void)address, (void)size;
    if (++w->calls % 50 == 0)
        CHECK(w, uc_emu_stop(w->other->uc) == UC_ERR_OK);
}

static void *run_and_stop(void *opaque)
{
    struct worker *w = opaque;
    uc_hook hook;

    CHECK(w, uc_hook_add(w->uc, &hook, UC_HOOK_CODE, (void *)stop_the_other, w, 1, 0) == UC_ERR_OK);
    for (unsigned i = 0; i < w->rounds; i++)
        CHECK(w, uc_emu_start(w->uc, CODE, 0, 0, 500) == UC_ERR_OK);
    return NULL;
}

static void test_stops_from_hooks(void **state)
{
    struct worker w[2] = {0};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        w[i].guest = &guests[i];
        w[i].other = &w[1 - i];
        w[i].rounds = 60;
        w[i].uc = open_guest(&w[i], guests[i].endless, guests[i].endless_size);
    }
    start_all(w, 2, run_and_stop);
    join_all(w, 2);
    for (unsigned i = 0; i < 2; i++)
        ok(uc_close(w[i].uc));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_engines), cmocka_unit_test(test_open_and_close),
        cmocka_unit_test(test_stops),       cmocka_unit_test(test_two_in_each_thread),
        cmocka_unit_test(test_handed_on),   cmocka_unit_test(test_stops_from_hooks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
