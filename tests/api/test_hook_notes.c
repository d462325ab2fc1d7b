/* Hooks without a callback: what they count and write down is what callbacks of the same
 * instructions and blocks would have been told; in every mode, up to every limit, at faults and in
 * callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <narwhal/arm.h>
#include <narwhal/hook.h>
#include <narwhal/x86.h>

#define CODE 0x10000u
#define DATA 0x20000u
#define LOG  256u
#define MAP  512u
#define RING 4u

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

/* mov ecx,5; mov ebx,DATA; L: mov [rbx],ecx; mov eax,[rbx]; add eax,ecx; test cl,1; jz M; inc edx;
 * M: mov [rbx+4],eax; add rbx,0x400; dec ecx; jnz L; mov eax,[DATA+0x70000]; nop */
static const uint8_t x86_code[] = {
    0xb9, 5,    0,    0,    0,    0xbb, 0,    0,    2,    0,    0x89, 0x0b, 0x8b, 0x03, 0x01,
    0xc8, 0xf6, 0xc1, 1,    0x74, 2,    0xff, 0xc2, 0x89, 0x43, 4,    0x48, 0x81, 0xc3, 0,
    4,    0,    0,    0xff, 0xc9, 0x75, 0xe5, 0x8b, 0x04, 0x25, 0,    0,    9,    0,    0x90};

/* mov r0,#5; mov r1,#DATA; L: str r0,[r1]; tst r0,#1; ldrne r2,[r1]; addne r3,r3,r2; streq
 * r3,[r1,#4]; stm r1,{r0,r3}; add r1,r1,#0x400; subs r0,r0,#1; bne L; mov r1,#0x90000; ldr r2,[r1];
 * nop */
static const uint32_t arm_code[] = {0xe3a00005, 0xe3a01802, 0xe5810000, 0xe3100001, 0x15912000,
                                    0x10833002, 0x05813004, 0xe8810009, 0xe2811b01, 0xe2500001,
                                    0x1afffff6, 0xe3a01809, 0xe5912000, 0xe1a00000};

struct guest {
    nw_arch arch;
    const void *code;
    size_t size;
    unsigned pc; /* register */
};

static const struct guest guests[] = {
    {NW_ARCH_X86_64, x86_code, sizeof x86_code, NW_X86_RIP},
    {NW_ARCH_ARM, arm_code, sizeof arm_code, NW_ARM_PC},
};

struct run {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    /* Of callbacks. */
    uint64_t insn[LOG], block[LOG], seen[LOG];
    unsigned insns, blocks, accesses;
    /* Of hooks without. */
    uint64_t counter, in_part, entered, entries[RING], block_entries[LOG];
    uint8_t map[MAP], small_map[MAP];
    nw_ring ring, block_ring;
};

static void add(struct run *r, nw_hook_spec spec)
{
    nw_hook *hook;

    assert_int_equal(nw_hook_add(r->engine, &spec, &hook), NW_OK);
}

static void on_insn(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct run *r = user;

    (void)vcpu, (void)size;
    assert_true(r->insns < LOG);
    r->insn[r->insns++] = pc;
}

static void on_block(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct run *r = user;

    (void)vcpu, (void)size;
    assert_true(r->blocks < LOG);
    r->block[r->blocks++] = pc;
}

static void on_access(nw_vcpu *vcpu, nw_access access, uint64_t addr, uint32_t size, uint64_t value,
                      const void *data, void *user)
{
    struct run *r = user;

    (void)vcpu, (void)access, (void)addr, (void)size, (void)value, (void)data;
    assert_true(r->accesses < LOG);
    r->seen[r->accesses++] = r->counter;
}

static void open_it(struct run *r, const struct guest *g, uint32_t flags)
{
    nw_config config = {.arch = g->arch, .flags = flags};

    memset(r, 0, sizeof *r);
    assert_int_equal(nw_engine_open(&config, &r->engine), NW_OK);
    assert_int_equal(nw_mem_map(r->engine, CODE, 0x1000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(r->engine, DATA, 0x2000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_write(r->engine, CODE, g->code, g->size), NW_OK);
    assert_int_equal(nw_vcpu_create(r->engine, &r->vcpu), NW_OK);
}

static void add_callbacks(struct run *r)
{
    add(r, (nw_hook_spec){.kind = NW_HOOK_CODE, .begin = 1, .code = on_insn, .user = r});
    add(r, (nw_hook_spec){.kind = NW_HOOK_BLOCK, .begin = 1, .code = on_block, .user = r});
}

static void add_notes(struct run *r)
{
    r->ring = (nw_ring){r->entries, RING, 0};
    r->block_ring = (nw_ring){r->block_entries, LOG, 0};
    add(r, (nw_hook_spec){.kind = NW_HOOK_COUNTER, .begin = 1, .counter = &r->counter});
    add(r,
        (nw_hook_spec){
            .kind = NW_HOOK_COUNTER, .begin = CODE + 12, .end = CODE + 24, .counter = &r->in_part});
    add(r, (nw_hook_spec){
               .kind = NW_HOOK_COUNTER, .begin = 1, .counter = &r->entered, .blocks = true});
    add(r, (nw_hook_spec){.kind = NW_HOOK_COVERAGE, .begin = 1, .map = r->map, .map_size = MAP});
    add(r,
        (nw_hook_spec){.kind = NW_HOOK_COVERAGE, .begin = 1, .map = r->small_map, .map_size = 16});
    add(r, (nw_hook_spec){.kind = NW_HOOK_RING, .begin = 1, .ring = &r->ring});
    add(r,
        (nw_hook_spec){.kind = NW_HOOK_RING, .begin = 1, .ring = &r->block_ring, .blocks = true});
}

static void run(struct run *r, const struct guest *g, uint64_t limit)
{
    uint64_t zero = 0;

    assert_int_equal(nw_mem_write(r->engine, DATA, &zero, 8), NW_OK);
    assert_int_equal(nw_reg_write(r->vcpu, g->pc, CODE), NW_OK);
    assert_int_equal(nw_vcpu_run(r->vcpu, limit, &r->exit), NW_OK);
}

static void expect_maps(const struct run *r, const struct run *told)
{
    uint8_t map[MAP] = {0}, small[MAP] = {0};
    uint32_t before = 0;

    for (unsigned n = 0; n < told->blocks; n++) {
        uint32_t here = (uint32_t)(told->block[n] * 0x9e3779b97f4a7c15u >> 32);

        map[(here ^ before) % MAP]++;
        small[(here ^ before) % 16]++;
        before = here >> 1;
    }
    assert_memory_equal(r->map, map, MAP);
    assert_memory_equal(r->small_map, small, MAP);
}

/* What R has noted is what the callbacks of TOLD were told. */
static void expect(const struct run *r, const struct run *told)
{
    uint64_t in_part = 0;

    for (unsigned n = 0; n < told->insns; n++)
        in_part += told->insn[n] >= CODE + 12 && told->insn[n] <= CODE + 24;
    assert_int_equal(r->counter, told->insns);
    assert_int_equal(r->in_part, in_part);
    assert_int_equal(r->entered, told->blocks);
    assert_int_equal(r->ring.position, told->insns);
    for (unsigned n = told->insns > RING ? told->insns - RING : 0; n < told->insns; n++)
        assert_int_equal(r->entries[n % RING], told->insn[n]);
    assert_int_equal(r->block_ring.position, told->blocks);
    assert_memory_equal(r->block_entries, told->block, told->blocks * sizeof told->block[0]);
    expect_maps(r, told);
}

#define EACH(g, flags)                                                                             \
    for (const struct guest *g = guests; g < guests + 2; g++)                                      \
        for (uint32_t m_ = 0, flags = 0; m_ < 4 && (flags = modes[m_], true); m_++)

static void test_all(void **state)
{
    static struct run r, told;

    (void)state;
    EACH(g, flags)
    {
        for (uint64_t limit = 0; limit < 60; limit++) {
            open_it(&told, g, NW_ENGINE_INTERP);
            add_callbacks(&told);
            run(&told, g, limit);
            open_it(&r, g, flags);
            add_notes(&r);
            run(&r, g, limit);
            assert_int_equal(r.exit.reason, told.exit.reason);
            assert_int_equal(r.exit.pc, told.exit.pc);
            if (!limit)
                assert_int_equal(r.exit.reason, NW_EXIT_FAULT);
            expect(&r, &told);
            nw_engine_close(r.engine);
            nw_engine_close(told.engine);
        }
    }
}

/* Together with callbacks, of accesses too, which find the number of instructions that have begun.
 */
static void test_in_callbacks(void **state)
{
    static struct run r, told;

    (void)state;
    EACH(g, flags)
    {
        for (unsigned k = 0; k < 2; k++) {
            struct run *x = k ? &r : &told;

            open_it(x, g, k ? flags : NW_ENGINE_INTERP);
            add_notes(x);
            if (k == 0)
                add_callbacks(x);
            for (nw_hook_kind kind = NW_HOOK_READ; kind <= NW_HOOK_WRITE; kind++)
                add(x, (nw_hook_spec){.kind = kind, .begin = 1, .access = on_access, .user = x});
            run(x, g, 0);
        }
        expect(&r, &told);
        assert_true(r.accesses >= 20);
        assert_int_equal(r.accesses, told.accesses);
        assert_memory_equal(r.seen, told.seen, r.accesses * sizeof r.seen[0]);
        nw_engine_close(r.engine);
        nw_engine_close(told.engine);
    }
}

/* A stop point is no instruction that has begun. */
static void test_stops(void **state)
{
    static struct run r;

    (void)state;
    EACH(g, flags)
    {
        static const uint64_t stops[] = {CODE + 28, CODE + 12, CODE + 12, CODE + 28, CODE + 12};
        uint64_t before = 0;

        if (g->arch != NW_ARCH_ARM)
            continue;
        open_it(&r, g, flags);
        add_notes(&r);
        assert_int_equal(nw_reg_write(r.vcpu, g->pc, CODE), NW_OK);
        for (unsigned n = 0; n < 5; n++) {
            assert_int_equal(nw_vcpu_set_stops(r.vcpu, &stops[n], 1), NW_OK);
            assert_int_equal(nw_vcpu_run(r.vcpu, 0, &r.exit), NW_OK);
            if (r.exit.reason != NW_EXIT_STOP_POINT)
                fail_msg("reason %d", r.exit.reason);
            assert_int_equal(r.exit.pc, stops[n]);
            /* 7 to the STM, 5 from there to the TST, 9 around. */
            before += n == 0 ? 7 : n == 2 ? 0 : n == 3 ? 4 : 5;
            assert_int_equal(r.counter, before);
            assert_int_equal(r.ring.position, before);
        }
        nw_engine_close(r.engine);
    }
}

static void test_arguments(void **state)
{
    static struct run r;
    nw_ring ring = {r.entries, 3, 0};
    nw_hook *hook;

    (void)state;
    open_it(&r, &guests[0], 0);
    nw_hook_spec spec = {.kind = NW_HOOK_RING, .ring = &ring};
    assert_int_equal(nw_hook_add(r.engine, &spec, &hook), NW_ERR_ARG);
    ring.size = 1ull << 33;
    assert_int_equal(nw_hook_add(r.engine, &spec, &hook), NW_ERR_ARG);
    spec = (nw_hook_spec){.kind = NW_HOOK_COVERAGE, .map = r.map, .map_size = 24};
    assert_int_equal(nw_hook_add(r.engine, &spec, &hook), NW_ERR_ARG);
    spec = (nw_hook_spec){.kind = NW_HOOK_COUNTER};
    assert_int_equal(nw_hook_add(r.engine, &spec, &hook), NW_ERR_ARG);
    nw_engine_close(r.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_in_callbacks),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
