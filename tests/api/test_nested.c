/* Callbacks of one vCPU that run another: of the same engine, of another one, and both. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <narwhal/arm.h>
#include <narwhal/hook.h>

#define CODE  0x10000u
#define OTHER 0x12000u
#define DATA  0x20000u
#define EXTRA 0x40000u
#define AGAIN (DATA + 0x100)
#define HIGH  0xfff00000u

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};
#define EACH_MODE(flags)                                                                           \
    for (uint32_t m_ = 0, flags = modes[0]; m_ < sizeof modes / sizeof modes[0];                   \
         m_++, flags = modes[m_ % 4])

/* add r0, r0, #1; str r0, [r1]; bkpt */
static const uint32_t code[] = {0xe2800001, 0xe5810000, 0xe1200070};

struct pair {
    nw_engine *engine, *other_engine;
    nw_vcpu *lower, *upper;
    nw_hook *hook;
    unsigned calls;
    uint64_t seen;
};

static nw_engine *open_engine(uint32_t flags)
{
    nw_config config = {.arch = NW_ARCH_ARM, .flags = flags};
    nw_engine *engine;

    assert_int_equal(nw_engine_open(&config, &engine), NW_OK);
    assert_int_equal(nw_mem_map(engine, CODE, 0x4000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(engine, DATA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_write(engine, CODE, code, sizeof code), NW_OK);
    assert_int_equal(nw_mem_write(engine, OTHER, code, sizeof code), NW_OK);
    return engine;
}

static struct pair open_pair(uint32_t flags, bool same)
{
    struct pair p = {.engine = open_engine(flags)};

    p.other_engine = same ? p.engine : open_engine(flags);
    assert_int_equal(nw_vcpu_create(p.engine, &p.lower), NW_OK);
    assert_int_equal(nw_vcpu_create(p.other_engine, &p.upper), NW_OK);
    return p;
}

static void close_pair(struct pair *p)
{
    nw_vcpu_destroy(p->lower);
    nw_vcpu_destroy(p->upper);
    if (p->other_engine != p->engine)
        nw_engine_close(p->other_engine);
    nw_engine_close(p->engine);
}

static void run(nw_vcpu *vcpu, uint32_t pc, uint32_t r0)
{
    nw_exit exit;

    assert_int_equal(nw_reg_write(vcpu, NW_ARM_R0, r0), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_ARM_R0 + 1, DATA), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_ARM_PC, pc), NW_OK);
    assert_int_equal(nw_vcpu_run(vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_BREAKPOINT);
}

static uint64_t r0_of(nw_vcpu *vcpu)
{
    uint64_t value = 0;

    assert_int_equal(nw_reg_read(vcpu, NW_ARM_R0, &value), NW_OK);
    return value;
}

static void add_hook(struct pair *p, nw_engine *engine, uint32_t pc, nw_code_fn fn)
{
    nw_hook_spec spec = {.kind = NW_HOOK_CODE, .begin = pc, .end = pc, .code = fn, .user = p};

    assert_int_equal(nw_hook_add(engine, &spec, &p->hook), NW_OK);
}

static void run_upper(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct pair *p = user;

    (void)pc, (void)size;
    p->calls++;
    p->seen = r0_of(vcpu);
    run(p->upper, OTHER, 100);
    assert_int_equal(r0_of(p->upper), 101);
}

static void test_run(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        EACH_MODE(flags)
        {
            struct pair p = open_pair(flags, same);

            add_hook(&p, p.engine, CODE + 4, run_upper);
            for (uint32_t n = 1; n < 4; n++) {
                run(p.lower, CODE, n);
                assert_int_equal(p.calls, n);
                assert_int_equal(p.seen, n + 1);
                assert_int_equal(r0_of(p.lower), n + 1);
            }
            close_pair(&p);
        }
    }
}

/* The upper run's callback runs the lower one again, from a page that it stores to. */
static void run_lower(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct pair *p = user;
    uint64_t r0 = r0_of(p->lower), lower_pc = 0;

    (void)pc, (void)size;
    p->calls++;
    assert_int_equal(nw_reg_read(p->lower, NW_ARM_PC, &lower_pc), NW_OK);
    run(p->lower, AGAIN, 200);
    assert_int_equal(r0_of(p->lower), 201);
    assert_ptr_equal(nw_vcpu_current(), vcpu);
    assert_int_equal(nw_mem_map(p->engine, EXTRA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_unmap(p->engine, EXTRA, 0x1000), NW_OK);
    assert_int_equal(nw_reg_write(p->lower, NW_ARM_R0, r0), NW_OK);
    assert_int_equal(nw_reg_write(p->lower, NW_ARM_PC, lower_pc), NW_OK);
    assert_int_equal(r0_of(vcpu), 101);
}

/* Changes the map, which waits until nobody else is inside. */
static void change_map(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct pair *p = user;

    (void)pc, (void)size;
    p->calls++;
    assert_ptr_equal(nw_vcpu_current(), vcpu);
    assert_int_equal(nw_mem_map(p->engine, HIGH, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_unmap(p->engine, HIGH, 0x1000), NW_OK);
}

static void test_again(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        EACH_MODE(flags)
        {
            struct pair p = open_pair(flags, same);

            assert_int_equal(nw_mem_protect(p.engine, DATA, 0x1000, NW_RWX), NW_OK);
            assert_int_equal(nw_mem_write(p.engine, AGAIN, code, sizeof code), NW_OK);
            add_hook(&p, p.engine, AGAIN + 4, change_map);
            add_hook(&p, p.other_engine, OTHER + 4, run_lower);
            add_hook(&p, p.engine, CODE + 4, run_upper);
            for (uint32_t n = 1; n < 4; n++) {
                run(p.lower, CODE, n);
                assert_int_equal(p.calls, 3 * n);
                assert_int_equal(r0_of(p.lower), n + 1);
            }
            close_pair(&p);
        }
    }
}

/* In the upper run's callback the memory map, hooks and code change, which waits for all vCPUs. */
static void change(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    static const uint32_t add_two = 0xe2800002;
    struct pair *p = user;
    nw_hook *hook;
    nw_hook_spec spec = {.kind = NW_HOOK_WRITE, .begin = DATA, .end = DATA};

    (void)pc, (void)size;
    p->calls++;
    assert_int_equal(nw_mem_map(p->engine, EXTRA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_protect(p->engine, EXTRA, 0x1000, NW_READ), NW_OK);
    assert_int_equal(nw_mem_unmap(p->engine, EXTRA, 0x1000), NW_OK);
    assert_int_equal(nw_mem_write(p->engine, CODE + 4, &add_two, 4), NW_OK);
    spec.kind = NW_HOOK_COUNTER;
    spec.begin = spec.end = CODE;
    spec.counter = &p->seen;
    assert_int_equal(nw_hook_add(p->engine, &spec, &hook), NW_OK);
    assert_int_equal(nw_hook_remove(p->engine, hook), NW_OK);
    /* The outer one is in a callback too. */
    assert_int_equal(r0_of(p->lower), 2);
    assert_int_equal(nw_reg_write(p->lower, NW_ARM_R0, 40), NW_OK);
    assert_int_equal(r0_of(vcpu), 101);
}

static void test_change(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        EACH_MODE(flags)
        {
            struct pair p = open_pair(flags, same);

            add_hook(&p, p.other_engine, OTHER + 4, change);
            add_hook(&p, p.engine, CODE + 4, run_upper);
            run(p.lower, CODE, 1);
            assert_int_equal(p.calls, 2);
            /* add r0, r0, #2 has taken the place of the store that the lower one stood before. */
            assert_int_equal(r0_of(p.lower), 42);
            close_pair(&p);
        }
    }
}

/* Meanwhile another thread fills the buffer with code, over and over. */
struct filler {
    nw_engine *engine;
    nw_vcpu *vcpu;
    _Atomic bool end;
};

static void *fill(void *opaque)
{
    struct filler *f = opaque;

    while (!f->end) {
        uint32_t again = 0xe2800001;

        run(f->vcpu, CODE, 0);
        assert_int_equal(nw_mem_write(f->engine, CODE, &again, 4), NW_OK);
        assert_int_equal(nw_mem_map(f->engine, EXTRA, 0x1000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_unmap(f->engine, EXTRA, 0x1000), NW_OK);
    }
    return NULL;
}

static void nest(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct pair *p = user;
    nw_vcpu *other = vcpu == p->lower ? p->upper : NULL;

    (void)pc, (void)size;
    if (!other)
        return;
    p->calls++;
    run(other, OTHER, 100);
    assert_int_equal(nw_mem_write(p->engine, OTHER, code, sizeof code), NW_OK);
}

static void test_small_buffer(void **state)
{
    nw_config config = {.arch = NW_ARCH_ARM, .code_buffer = 64 << 10};

    (void)state;
    for (int chain = 0; chain < 2; chain++) {
        struct pair p = {0};
        struct filler f = {0};
        pthread_t thread;

        config.flags = chain ? 0 : NW_ENGINE_NO_CHAIN;
        assert_int_equal(nw_engine_open(&config, &p.engine), NW_OK);
        p.other_engine = p.engine;
        assert_int_equal(nw_mem_map(p.engine, CODE, 0x4000, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_map(p.engine, DATA, 0x1000, NW_RW), NW_OK);
        assert_int_equal(nw_mem_write(p.engine, CODE, code, sizeof code), NW_OK);
        assert_int_equal(nw_mem_write(p.engine, OTHER, code, sizeof code), NW_OK);
        assert_int_equal(nw_mem_write(p.engine, OTHER + 0x1000, code, sizeof code), NW_OK);
        assert_int_equal(nw_vcpu_create(p.engine, &p.lower), NW_OK);
        assert_int_equal(nw_vcpu_create(p.engine, &p.upper), NW_OK);
        f.engine = p.engine;
        assert_int_equal(nw_vcpu_create(p.engine, &f.vcpu), NW_OK);
        add_hook(&p, p.engine, OTHER + 0x1004, nest);
        assert_int_equal(pthread_create(&thread, NULL, fill, &f), 0);
        for (unsigned n = 1; n <= 1500; n++) {
            run(p.lower, OTHER + 0x1000, n);
            assert_int_equal(p.calls, n);
            assert_int_equal(r0_of(p.lower), n + 1);
        }
        f.end = true;
        pthread_join(thread, NULL);
        nw_vcpu_destroy(f.vcpu);
        close_pair(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_small_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
