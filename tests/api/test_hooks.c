/* Hooks before instructions and blocks, stop points, and what callbacks may do; ARM, Thumb and x86
 * code in every mode of the engine. */
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

static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};
#define EACH_MODE(flags)                                                                           \
    for (uint32_t m_ = 0, flags = modes[0]; m_ < sizeof modes / sizeof modes[0];                   \
         m_++, flags = modes[m_ % 4])

struct env {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
    uint64_t pcs[64];
    uint32_t sizes[64];
    unsigned n;
    nw_hook *hook;
    uint64_t at; /* what a callback acts at */
    uint64_t value;
};

static struct env env_open(nw_arch arch, uint32_t flags, const void *code, size_t size)
{
    struct env e = {0};
    nw_config config = {.arch = arch, .flags = flags};

    assert_int_equal(nw_engine_open(&config, &e.engine), NW_OK);
    assert_int_equal(nw_mem_map(e.engine, CODE, 0x1000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_write(e.engine, CODE, code, size), NW_OK);
    assert_int_equal(nw_vcpu_create(e.engine, &e.vcpu), NW_OK);
    return e;
}

static nw_exit_reason env_run(struct env *e, unsigned pc_reg, uint64_t pc, uint64_t limit)
{
    assert_int_equal(nw_reg_write(e->vcpu, pc_reg, pc), NW_OK);
    assert_int_equal(nw_vcpu_run(e->vcpu, limit, &e->exit), NW_OK);
    return e->exit.reason;
}

static uint64_t reg(struct env *e, unsigned n)
{
    uint64_t v = 0;

    assert_int_equal(nw_reg_read(e->vcpu, n, &v), NW_OK);
    return v;
}

static void add(struct env *e, nw_hook_kind kind, uint64_t begin, uint64_t end, nw_code_fn fn)
{
    nw_hook_spec spec = {.kind = kind, .begin = begin, .end = end, .code = fn, .user = e};

    assert_int_equal(nw_hook_add(e->engine, &spec, &e->hook), NW_OK);
}

static void note(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;

    (void)vcpu;
    assert_true(e->n < 64);
    e->pcs[e->n] = pc;
    e->sizes[e->n++] = size;
}

/* mov ecx,3; L: add eax,ecx; dec ecx; jnz L; nop; hlt */
static const uint8_t sum86[] = {0xb9, 3, 0, 0, 0, 0x01, 0xc8, 0xff, 0xc9, 0x75, 0xfa, 0x90, 0xf4};
enum { END86 = CODE + 12 };

static void stop_at(struct env *e, uint64_t pc)
{
    assert_int_equal(nw_vcpu_set_stops(e->vcpu, &pc, 1), NW_OK);
}

static void test_code(void **state)
{
    static const uint16_t offsets[] = {0, 5, 7, 9, 5, 7, 9, 5, 7, 9, 11};
    static const uint8_t sizes[] = {5, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1};

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        /* Cached code must not miss a hook that comes later. */
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.exit.pc, END86);
        assert_int_equal(reg(&e, NW_X86_RAX), 6);
        add(&e, NW_HOOK_CODE, 1, 0, note);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(reg(&e, NW_X86_RAX), 12);
        assert_int_equal(e.n, 11);
        for (unsigned n = 0; n < 11; n++) {
            assert_int_equal(e.pcs[n], CODE + offsets[n]);
            assert_int_equal(e.sizes[n], sizes[n]);
        }
        assert_int_equal(nw_hook_remove(e.engine, e.hook), NW_OK);
        assert_int_equal(nw_hook_remove(e.engine, e.hook), NW_ERR_ARG);
        env_run(&e, NW_X86_RIP, CODE, 0);
        assert_int_equal(e.n, 11);
        nw_engine_close(e.engine);
    }
}

static void test_blocks(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        add(&e, NW_HOOK_BLOCK, 1, 0, note);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 4);
        assert_int_equal(e.pcs[0], CODE);
        assert_int_equal(e.sizes[0], 11);
        assert_int_equal(e.pcs[1], CODE + 5);
        assert_int_equal(e.sizes[1], 6);
        assert_int_equal(e.pcs[2], CODE + 5);
        assert_int_equal(e.pcs[3], CODE + 11);
        nw_engine_close(e.engine);
    }
}

static void add_to_eax(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    uint64_t v;

    (void)pc, (void)size, (void)user;
    assert_int_equal(nw_reg_read(vcpu, NW_X86_RAX, &v), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RAX, v + 100), NW_OK);
}

static void test_registers(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        add(&e, NW_HOOK_CODE, CODE + 7, CODE + 7, add_to_eax);
        env_run(&e, NW_X86_RIP, CODE, 0);
        assert_int_equal(reg(&e, NW_X86_RAX), 306);
        assert_int_equal(reg(&e, NW_X86_RAX + 1), 0);
        nw_engine_close(e.engine);
    }
}

static void skip_it(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    note(vcpu, pc, size, user);
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RIP, pc + size), NW_OK);
}

static void test_pc_write(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        add(&e, NW_HOOK_CODE, CODE + 5, CODE + 5, skip_it);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(reg(&e, NW_X86_RAX), 0);
        assert_int_equal(e.n, 3);
        nw_engine_close(e.engine);
    }
}

static void stop_it(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    note(vcpu, pc, size, user);
    nw_vcpu_stop(vcpu);
}

static void test_stop(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        add(&e, NW_HOOK_CODE, CODE + 7, CODE + 7, stop_it);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP);
        assert_int_equal(e.exit.pc, CODE + 7);
        assert_int_equal(reg(&e, NW_X86_RAX), 3);
        assert_int_equal(reg(&e, NW_X86_RAX + 1), 3);
        nw_engine_close(e.engine);
    }
}

/* Writes NOPs over the instruction that it is called before. */
static void patch(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;

    note(vcpu, pc, size, user);
    assert_int_equal(nw_mem_write(e->engine, pc, "\x90\x90", 2), NW_OK);
}

static void test_patching(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        add(&e, NW_HOOK_CODE, CODE + 5, CODE + 5, patch);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(reg(&e, NW_X86_RAX), 0);
        assert_int_equal(e.n, 3);
        nw_engine_close(e.engine);
    }
}

static void remove_itself(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;

    note(vcpu, pc, size, user);
    assert_int_equal(nw_hook_remove(e->engine, e->hook), NW_OK);
}

static void add_another(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;

    if (e->value++ == 0)
        add(e, NW_HOOK_CODE, CODE + 7, CODE + 9, note);
    (void)vcpu, (void)pc, (void)size;
}

static void test_changing_hooks(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        add(&e, NW_HOOK_CODE, CODE + 5, CODE + 5, remove_itself);
        env_run(&e, NW_X86_RIP, CODE, 0);
        assert_int_equal(e.n, 1);
        assert_int_equal(reg(&e, NW_X86_RAX), 6);
        add(&e, NW_HOOK_CODE, CODE + 5, CODE + 5, add_another);
        e.n = 0;
        env_run(&e, NW_X86_RIP, CODE, 0);
        assert_int_equal(e.value, 3);
        assert_int_equal(e.n, 6);
        assert_int_equal(reg(&e, NW_X86_RAX), 12);
        nw_engine_close(e.engine);
    }
}

/* Runs the rest, from the loop on, inside the callback. */
static void run_inside(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;
    nw_exit exit;
    uint64_t rip;

    (void)size;
    assert_int_equal(nw_reg_read(vcpu, NW_X86_RIP, &rip), NW_OK);
    assert_int_equal(rip, pc);
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RIP, CODE + 5), NW_OK);
    assert_int_equal(nw_vcpu_run(vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_STOP_POINT);
    assert_int_equal(nw_reg_read(vcpu, NW_X86_RAX, &e->value), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RIP, pc), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RAX + 1, 9), NW_OK);
}

static void test_inner_run(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        stop_at(&e, END86);
        nw_reg_write(e.vcpu, NW_X86_RAX + 1, 4);
        add(&e, NW_HOOK_CODE, CODE, CODE, run_inside);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.value, 10);
        assert_int_equal(reg(&e, NW_X86_RAX), 16);
        nw_engine_close(e.engine);
    }
}

static bool replace(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    note(vcpu, pc, size, user);
    return true;
}

static void test_insn(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);
        nw_hook_spec spec = {.kind = NW_HOOK_INSN, .begin = 1, .insn_fn = replace, .user = &e};

        spec.insn = nw_insn_id(NW_ARCH_X86_64, "add");
        assert_true(spec.insn != 0);
        stop_at(&e, END86);
        assert_int_equal(nw_hook_add(e.engine, &spec, &e.hook), NW_OK);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 3);
        assert_int_equal(e.pcs[0], CODE + 5);
        assert_int_equal(reg(&e, NW_X86_RAX), 0);
        assert_int_equal(reg(&e, NW_X86_RAX + 1), 0);
        nw_engine_close(e.engine);
    }
}

static void test_limits(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        for (unsigned limit = 1; limit <= 10; limit++) {
            struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

            add(&e, NW_HOOK_CODE, 1, 0, note);
            assert_int_equal(env_run(&e, NW_X86_RIP, CODE, limit), NW_EXIT_LIMIT);
            assert_int_equal(e.n, limit);
            assert_int_equal(e.exit.pc, CODE + (limit == 10 ? 11 : 5 + 2 * ((limit - 1) % 3)));
            nw_engine_close(e.engine);
        }
    }
}

/* Long runs are made of blocks that count for themselves, linked to each other. */
static void test_long_limits(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

        for (uint64_t limit = 2; limit < 3000; limit = limit * 9 / 8 + 1) {
            uint64_t rounds = (limit - 1) / 3, rest = (limit - 1) % 3;

            nw_reg_write(e.vcpu, NW_X86_RAX, 0);
            nw_reg_write(e.vcpu, NW_X86_RAX + 1, 2000);
            assert_int_equal(env_run(&e, NW_X86_RIP, CODE + 5, limit - 1), NW_EXIT_LIMIT);
            assert_int_equal(e.exit.pc, CODE + 5 + 2 * rest);
            assert_int_equal(reg(&e, NW_X86_RAX + 1), 2000 - rounds - (rest == 2));
        }
        nw_engine_close(e.engine);
    }
}

/* The blocks that are entered are the same whatever parts of them a limit cuts off. */
static void test_blocks_of_parts(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        for (unsigned limit = 1; limit <= 10; limit++) {
            struct env e = env_open(NW_ARCH_X86_64, flags, sum86, sizeof sum86);

            add(&e, NW_HOOK_BLOCK, 1, 0, note);
            assert_int_equal(env_run(&e, NW_X86_RIP, CODE, limit), NW_EXIT_LIMIT);
            assert_int_equal(e.n, limit <= 4 ? 1 : limit <= 7 ? 2 : 3);
            nw_engine_close(e.engine);
        }
    }
}

/* Every repetition is one call and one instruction. */
static void test_repeated(void **state)
{
    static const uint8_t code[] = {0xf3, 0xaa, 0x90}; /* rep stosb; nop */

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, code, sizeof code);

        stop_at(&e, CODE + 2);
        nw_reg_write(e.vcpu, NW_X86_RAX + 1, 5);
        nw_reg_write(e.vcpu, NW_X86_RAX + 7, CODE + 0x800);
        add(&e, NW_HOOK_CODE, 1, 0, note);
        assert_int_equal(env_run(&e, NW_X86_RIP, CODE, 0), NW_EXIT_STOP_POINT);
        assert_true(e.n == 5 || e.n == 6);
        assert_int_equal(reg(&e, NW_X86_RAX + 7), CODE + 0x805);
        nw_engine_close(e.engine);
    }
}

/* movs r0,#0; cmp r0,#0; ittee eq; addeq r1,#1; addeq r2,#1; addne r3,#1; addne r4,#1; nop */
static const uint16_t it_code[] = {0x2000, 0x2800, 0xbf07, 0x3101, 0x3201, 0x3301, 0x3401, 0xbf00};

static void set_flags(nw_vcpu *vcpu, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;
    uint64_t cpsr;

    note(vcpu, pc, size, user);
    if (pc != e->at)
        return;
    assert_int_equal(nw_reg_read(vcpu, NW_ARM_CPSR, &cpsr), NW_OK);
    assert_int_equal(nw_reg_write(vcpu, NW_ARM_CPSR, cpsr & ~(1u << 30)), NW_OK);
}

static void test_it(void **state)
{
    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_ARM, flags, it_code, sizeof it_code);

        stop_at(&e, CODE + 14);
        nw_reg_write(e.vcpu, NW_ARM_CPSR, 0x30);
        add(&e, NW_HOOK_CODE, 1, 0, set_flags);
        assert_int_equal(env_run(&e, NW_ARM_PC, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 7);
        assert_int_equal(reg(&e, 1) + reg(&e, 2), 2);
        assert_int_equal(reg(&e, 3) + reg(&e, 4), 0);
        e.n = 0;
        e.at = CODE + 8; /* the second ADDEQ: Z is taken away before it */
        assert_int_equal(env_run(&e, NW_ARM_PC, CODE, 0), NW_EXIT_STOP_POINT);
        assert_int_equal(e.n, 7);
        assert_int_equal(reg(&e, 1), 2);
        assert_int_equal(reg(&e, 2), 1);
        assert_int_equal(reg(&e, 3) + reg(&e, 4), 2);
        nw_engine_close(e.engine);
    }
}

static void expect_self(nw_vcpu *self, uint64_t pc, uint32_t size, void *user)
{
    struct env *e = user;

    assert_ptr_equal(self, e);
    note(e->vcpu, pc, size, e);
}

/* Another first argument, with one hook to an instruction and with several. */
static void test_self(void **state)
{
    static const uint8_t code[] = {0x90, 0x90, 0xf4}; /* nop; nop; hlt */

    (void)state;
    EACH_MODE(flags)
    {
        struct env e = env_open(NW_ARCH_X86_64, flags, code, sizeof code);
        nw_hook_spec spec = {.kind = NW_HOOK_CODE,
                             .begin = CODE,
                             .end = CODE + 1,
                             .code = expect_self,
                             .user = &e,
                             .self = &e};

        for (unsigned n = 1; n <= 3; n++) {
            spec.kind = n == 3 ? NW_HOOK_BLOCK : NW_HOOK_CODE;
            assert_int_equal(nw_hook_add(e.engine, &spec, &e.hook), NW_OK);
            e.n = 0;
            env_run(&e, NW_X86_RIP, CODE, 2);
            assert_int_equal(e.n, n == 3 ? 5 : 2 * n);
        }
        nw_engine_close(e.engine);
    }
}

static void test_arguments(void **state)
{
    struct env e = env_open(NW_ARCH_X86_64, 0, sum86, sizeof sum86);
    nw_hook_spec spec = {.kind = NW_HOOK_CODE, .code = note};

    (void)state;
    assert_int_equal(nw_hook_add(NULL, &spec, &e.hook), NW_ERR_ARG);
    assert_int_equal(nw_hook_add(e.engine, NULL, &e.hook), NW_ERR_ARG);
    assert_int_equal(nw_hook_add(e.engine, &spec, NULL), NW_ERR_ARG);
    spec.code = NULL;
    assert_int_equal(nw_hook_add(e.engine, &spec, &e.hook), NW_ERR_ARG);
    spec.code = note;
    spec.kind = NW_HOOK_KINDS;
    assert_int_equal(nw_hook_add(e.engine, &spec, &e.hook), NW_ERR_ARG);
    assert_int_equal(nw_hook_remove(e.engine, NULL), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_set_stops(e.vcpu, NULL, 1), NW_ERR_ARG);
    assert_int_equal(nw_vcpu_set_stops(NULL, NULL, 0), NW_ERR_ARG);
    nw_engine_close(e.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_pc_write),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_patching),
        cmocka_unit_test(test_changing_hooks),
        cmocka_unit_test(test_inner_run),
        cmocka_unit_test(test_insn),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_blocks_of_parts),
        cmocka_unit_test(test_long_limits),
        cmocka_unit_test(test_repeated),
        cmocka_unit_test(test_it),
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
