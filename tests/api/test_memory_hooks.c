/* Hooks of accesses and of faults: what is reported, once each, and what callbacks may do. */
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

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};
#define EACH_MODE(flags)                                                                           \
    for (uint32_t m_ = 0, flags = modes[0]; m_ < sizeof modes / sizeof modes[0];                   \
         m_++, flags = modes[m_ % 4])

struct event {
    char kind; /* R, A, W, F */
    uint64_t addr, value;
    uint32_t size;
};

struct env {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    struct event events[64];
    unsigned n;
    nw_hook *hook;
};

static void note(struct env *e, char kind, uint64_t addr, uint32_t size, uint64_t value)
{
    assert_true(e->n < 64);
    e->events[e->n++] = (struct event){kind, addr, value, size};
}

static void on_read(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                    const void *data, void *user)
{
    (void)v, (void)a;
    assert_null(data);
    note(user, 'R', addr, size, value);
}

static void on_after(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                     const void *data, void *user)
{
    (void)v, (void)a;
    assert_non_null(data);
    note(user, 'A', addr, size, value);
}

static void on_write(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                     const void *data, void *user)
{
    (void)v, (void)a;
    assert_non_null(data);
    note(user, 'W', addr, size, value);
}

static void add(struct env *e, nw_hook_kind kind, uint64_t begin, uint64_t end, nw_access_fn fn)
{
    nw_hook_spec spec = {.kind = kind, .begin = begin, .end = end, .access = fn, .user = e};

    assert_int_equal(nw_hook_add(e->engine, &spec, &e->hook), NW_OK);
}

static void add_fault(struct env *e, nw_fault_fn fn)
{
    nw_hook_spec spec = {.kind = NW_HOOK_FAULT, .begin = 1, .fault = fn, .user = e};

    assert_int_equal(nw_hook_add(e->engine, &spec, &e->hook), NW_OK);
}

static struct env env_open(nw_arch arch, uint32_t flags, const void *code, size_t size)
{
    struct env e = {0};
    nw_config config = {.arch = arch, .flags = flags};
    uint64_t stop = CODE + size;

    assert_int_equal(nw_engine_open(&config, &e.engine), NW_OK);
    assert_int_equal(nw_mem_map(e.engine, CODE, 0x1000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(e.engine, DATA, 0x2000, NW_RW), NW_OK);
    assert_int_equal(nw_mem_write(e.engine, CODE, code, size), NW_OK);
    for (unsigned n = 0; n < 0x2000; n += 4)
        assert_int_equal(nw_mem_write(e.engine, DATA + n, &n, 4), NW_OK);
    assert_int_equal(nw_vcpu_create(e.engine, &e.vcpu), NW_OK);
    assert_int_equal(nw_vcpu_set_stops(e.vcpu, &stop, 1), NW_OK);
    return e;
}

static void add_all(struct env *e)
{
    add(e, NW_HOOK_READ, 1, 0, on_read);
    add(e, NW_HOOK_READ_AFTER, 1, 0, on_after);
    add(e, NW_HOOK_WRITE, 1, 0, on_write);
}

static nw_exit_reason run(struct env *e, unsigned pc_reg)
{
    assert_int_equal(nw_reg_write(e->vcpu, pc_reg, CODE), NW_OK);
    assert_int_equal(nw_vcpu_run(e->vcpu, 0, &e->exit), NW_OK);
    return e->exit.reason;
}

static uint64_t reg(struct env *e, unsigned n)
{
    uint64_t v = 0;

    assert_int_equal(nw_reg_read(e->vcpu, n, &v), NW_OK);
    return v;
}

static void check(const struct env *e, const struct event *want, unsigned n)
{
    for (unsigned i = 0; i < n && i < e->n; i++) {
        assert_int_equal(e->events[i].kind, want[i].kind);
        assert_int_equal(e->events[i].addr, want[i].addr);
        assert_int_equal(e->events[i].size, want[i].size);
        assert_int_equal(e->events[i].value, want[i].value);
    }
    assert_int_equal(e->n, n);
}

enum { RAX = NW_X86_RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* add [rsi],eax; push rcx; pop rdx; movsb; movups xmm0,[rsi]; cmpxchg [rbx],ecx; mov
 * edx,[rsi+0xffd] */
static const uint8_t mixed86[] = {0x01, 0x06, 0x51, 0x5a, 0xa4, 0x0f, 0x10, 0x06, 0x0f,
                                  0xb1, 0x0b, 0x8b, 0x96, 0xfd, 0x0f, 0x00, 0x00};

static void test_order(void **state)
{
    static const struct event want[] = {
        {'R', DATA + 8, 0, 4},
        {'A', DATA + 8, 8, 4},
        {'W', DATA + 8, 13, 4},
        {'W', DATA + 0x7f8, 7, 8},
        {'R', DATA + 0x7f8, 0, 8},
        {'A', DATA + 0x7f8, 7, 8},
        {'R', DATA + 8, 0, 1},
        {'A', DATA + 8, 13, 1},
        {'W', DATA + 0x100, 13, 1},
        {'R', DATA + 9, 0, 16},
        {'A', DATA + 9, 0x100000000c000000, 16},
    };

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, mixed86, 8);

        nw_reg_write(e.vcpu, RAX, 5);
        nw_reg_write(e.vcpu, RCX, 7);
        nw_reg_write(e.vcpu, RSI, DATA + 8);
        nw_reg_write(e.vcpu, RDI, DATA + 0x100);
        nw_reg_write(e.vcpu, RSP, DATA + 0x800);
        add_all(&e);
        assert_int_equal(run(&e, NW_X86_RIP), NW_EXIT_STOP_POINT);
        check(&e, want, sizeof want / sizeof want[0]);
        nw_engine_close(e.engine);
    }
}

static void test_crossing(void **state)
{
    static const uint8_t code[] = {0x8b, 0x86, 0xfd, 0x0f, 0x00, 0x00, /* mov eax,[rsi+0xffd] */
                                   0x89, 0x86, 0xfe, 0x0f, 0x00, 0x00};
    static const struct event want[] = {{'R', DATA + 0xffd, 0, 4},
                                        {'A', DATA + 0xffd, 0x0000000f, 4},
                                        {'W', DATA + 0xffe, 0x0000000f, 4}};

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, code, sizeof code);

        nw_reg_write(e.vcpu, RSI, DATA);
        add_all(&e);
        assert_int_equal(run(&e, NW_X86_RIP), NW_EXIT_STOP_POINT);
        check(&e, want, 3);
        nw_engine_close(e.engine);
    }
}

/* Only what touches the range is reported, and code that runs already is no exception. */
static void test_range(void **state)
{
    static const uint8_t code[] = {0x8b, 0x06, 0x8b, 0x46, 0x04, 0x8b,
                                   0x46, 0x03, 0x89, 0x46, 0x04};

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, code, sizeof code);

        nw_reg_write(e.vcpu, RSI, DATA);
        run(&e, NW_X86_RIP);
        add(&e, NW_HOOK_READ, DATA + 6, DATA + 6, on_read);
        run(&e, NW_X86_RIP);
        assert_int_equal(e.n, 2);
        assert_int_equal(e.events[0].addr, DATA + 4);
        assert_int_equal(e.events[1].addr, DATA + 3);
        assert_int_equal(nw_hook_remove(e.engine, e.hook), NW_OK);
        run(&e, NW_X86_RIP);
        assert_int_equal(e.n, 2);
        nw_engine_close(e.engine);
    }
}

static void give_value(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                       const void *data, void *user)
{
    struct env *e = user;
    uint32_t answer = 42;

    on_read(v, a, addr, size, value, data, user);
    assert_int_equal(nw_mem_write(e->engine, addr, &answer, 4), NW_OK);
}

static void stop_it(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                    const void *data, void *user)
{
    (void)a, (void)data;
    note(user, 'S', addr, size, value);
    nw_vcpu_stop(v);
}

static void write_base(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                       const void *data, void *user)
{
    (void)a, (void)data;
    note(user, 'B', addr, size, value);
    assert_int_equal(nw_reg_write(v, RBX, 77), NW_OK);
}

static void skip_it(nw_vcpu *v, nw_access a, uint64_t addr, uint32_t size, uint64_t value,
                    const void *data, void *user)
{
    (void)a, (void)data;
    note(user, 'P', addr, size, value);
    assert_int_equal(nw_reg_write(v, NW_X86_RIP, CODE + 2), NW_OK);
}

/* mov eax,[rsi]; add eax,ebx; mov [rsi],eax */
static const uint8_t simple86[] = {0x8b, 0x06, 0x01, 0xd8, 0x89, 0x06};

static void test_callbacks(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        static const struct {
            nw_hook_kind kind;
            nw_access_fn fn;
            uint64_t pc, rax, memory;
        } rows[] = {
            {NW_HOOK_READ, give_value, CODE + 6, 45, 45},
            {NW_HOOK_READ, stop_it, CODE, 1, 8},
            {NW_HOOK_READ_AFTER, stop_it, CODE, 1, 8},
            {NW_HOOK_WRITE, stop_it, CODE + 4, 11, 11},
            {NW_HOOK_READ, write_base, CODE + 6, 85, 85},
            {NW_HOOK_WRITE, write_base, CODE + 6, 11, 11},
            {NW_HOOK_READ, skip_it, CODE + 6, 4, 4},
        };

        for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
            struct env e = env_open(NW_ARCH_X86_64, flags, simple86, sizeof simple86);
            uint32_t memory;

            nw_reg_write(e.vcpu, RAX, 1);
            nw_reg_write(e.vcpu, RBX, 3);
            nw_reg_write(e.vcpu, RSI, DATA + 8);
            add(&e, rows[n].kind, 1, 0, rows[n].fn);
            run(&e, NW_X86_RIP);
            assert_int_equal(e.exit.pc, rows[n].pc);
            assert_int_equal(reg(&e, RAX), rows[n].rax);
            assert_int_equal(nw_mem_read(e.engine, DATA + 8, &memory, 4), NW_OK);
            assert_int_equal(memory, rows[n].memory);
            assert_int_equal(e.n, 1);
            nw_engine_close(e.engine);
        }
    }
}

/* ---- faults ---- */

static bool map_it(nw_vcpu *v, const nw_exit *fault, uint64_t value, void *user)
{
    struct env *e = user;

    (void)v;
    note(e, 'F', fault->addr, fault->size, value);
    assert_int_equal(nw_mem_map(e->engine, fault->addr & ~0xfffull, 0x1000, NW_RWX), NW_OK);
    return true;
}

static bool lie(nw_vcpu *v, const nw_exit *fault, uint64_t value, void *user)
{
    (void)v;
    note(user, 'L', fault->addr, fault->size, value);
    return true;
}

static void test_faults(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, simple86, sizeof simple86);

        nw_reg_write(e.vcpu, RBX, 3);
        nw_reg_write(e.vcpu, RSI, 0x300ffe);
        add(&e, NW_HOOK_READ, 1, 0, on_read);
        add_fault(&e, map_it);
        assert_int_equal(run(&e, NW_X86_RIP), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 3);
        assert_int_equal(e.events[0].addr, 0x300ffe);
        assert_int_equal(e.events[1].addr, 0x301000);
        assert_int_equal(e.events[2].kind, 'R'); /* once there is something to read */
        assert_int_equal(reg(&e, RAX), 3);
        nw_engine_close(e.engine);

        e = env_open(NW_ARCH_X86_64, flags, simple86, sizeof simple86);
        nw_reg_write(e.vcpu, RSI, 0x300000);
        add_fault(&e, lie);
        assert_int_equal(run(&e, NW_X86_RIP), NW_EXIT_FAULT);
        assert_int_equal(e.exit.code, 1);
        assert_int_equal(e.n, 1);
        nw_engine_close(e.engine);
    }
}

static void test_fetch_faults(void **state)
{
    static const uint8_t code[] = {0xff, 0xe0}; /* jmp rax */

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, code, sizeof code);
        uint64_t stop = 0x500002;

        nw_reg_write(e.vcpu, RAX, 0x500000);
        nw_reg_write(e.vcpu, RCX, DATA);
        assert_int_equal(nw_vcpu_set_stops(e.vcpu, &stop, 1), NW_OK);
        add_fault(&e, map_it); /* zeros: add [rax],al */
        assert_int_equal(run(&e, NW_X86_RIP), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 1);
        assert_int_equal(e.events[0].addr, 0x500000);
        nw_engine_close(e.engine);
    }
}

/* ldmia r0!,{r1,r2,r3}; strd r4,r5,[r0]; swp r6,r1,[r0] */
static const uint32_t arm_code[] = {0xe8b0000e, 0xe1c040f0, 0xe1006091};

static void test_arm(void **state)
{
    static const struct event want[] = {
        {'R', DATA, 0, 4},      {'R', DATA + 4, 0, 4},  {'R', DATA + 8, 0, 4},
        {'W', DATA + 12, 4, 4}, {'W', DATA + 16, 5, 4}, {'R', DATA + 12, 0, 4},
        {'W', DATA + 12, 0, 4},
    };

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_ARM, flags, arm_code, sizeof arm_code);

        nw_reg_write(e.vcpu, 0, DATA);
        nw_reg_write(e.vcpu, 4, 4);
        nw_reg_write(e.vcpu, 5, 5);
        add(&e, NW_HOOK_READ, 1, 0, on_read);
        add(&e, NW_HOOK_WRITE, 1, 0, on_write);
        assert_int_equal(run(&e, NW_ARM_PC), NW_EXIT_STOP_POINT);
        if (e.events[3].size == 8) { /* STRD in one piece */
            assert_int_equal(e.n, 6);
            assert_int_equal(e.events[3].value, 0x500000004);
        } else {
            check(&e, want, sizeof want / sizeof want[0]);
        }
        nw_engine_close(e.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_range),  cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_fetch_faults),
        cmocka_unit_test(test_arm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
