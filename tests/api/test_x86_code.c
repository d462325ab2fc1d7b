/* What is no instruction of x86 and becomes one: its bytes are watched as those of other code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

enum { CODE = 0x10000, DATA = 0x20000, PAGE = 0x1000, WRITER = CODE + 0x100 };
enum { UD = 6, BP = 3 };
enum { RAX = 0, RDI = 7 };

struct fixture {
    nw_engine *engine;
    nw_vcpu *vcpu;
    nw_exit exit;
};

static void run_at(struct fixture *f, uint64_t pc, unsigned vector, uint64_t end)
{
    assert_int_equal(nw_reg_write(f->vcpu, NW_X86_RIP, pc), NW_OK);
    assert_int_equal(nw_vcpu_run(f->vcpu, 0, &f->exit), NW_OK);
    assert_int_equal(f->exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(f->exit.code, vector);
    assert_int_equal(f->exit.pc, end);
}

/* SIZE bytes at PC are none, but with VALUE at byte AT they are an instruction. INT3 is behind. */
static void check_patch(struct fixture *f, uint64_t pc, const uint8_t *bytes, unsigned size,
                        unsigned at, uint8_t value)
{
    int32_t distance = (int32_t)(pc - (WRITER + 8));
    uint8_t writer[8] = {0xc6, 0x07, value, 0xe9}; /* mov byte [rdi], value; jmp pc */

    memcpy(writer + 4, &distance, 4);
    assert_int_equal(nw_mem_write(f->engine, pc, bytes, size), NW_OK);
    assert_int_equal(nw_mem_write(f->engine, pc + size, "\xcc", 1), NW_OK);
    assert_int_equal(nw_mem_write(f->engine, WRITER, writer, sizeof writer), NW_OK);
    assert_int_equal(nw_reg_write(f->vcpu, RAX, DATA), NW_OK);
    assert_int_equal(nw_reg_write(f->vcpu, RDI, pc + at), NW_OK);
    run_at(f, pc, UD, pc);
    run_at(f, WRITER, BP, pc + size + 1);
}

static void check_all(struct fixture *f)
{
    static const uint8_t lock_register[] = {0xf0, 0x01, 0xc0}; /* with 00: lock add [rax], eax */
    static const uint8_t escape[] = {0x0f, 0x04, 0xc0};        /* with 1f: nop eax */
    uint64_t second = CODE + PAGE, end = CODE + 2 * PAGE;

    check_patch(f, CODE, lock_register, 3, 2, 0x00);
    check_patch(f, CODE + 0x40, escape, 3, 1, 0x1f);
    check_patch(f, second - 1, escape, 3, 1, 0x1f);
    check_patch(f, second - 2, lock_register, 3, 2, 0x00);
    /* Nothing is behind the page, and nothing there is needed to know. */
    assert_int_equal(nw_mem_write(f->engine, end - 3, lock_register, 3), NW_OK);
    run_at(f, end - 3, UD, end - 3);
}

static void test_invalid(void **state)
{
    static const uint32_t modes[] = {0, NW_ENGINE_INTERP, NW_ENGINE_NO_CHAIN, NW_ENGINE_NO_FASTMEM};

    (void)state;
    for (unsigned m = 0; m < sizeof modes / sizeof *modes; m++) {
        nw_config config = {.arch = NW_ARCH_X86_64, .flags = modes[m]};
        struct fixture f;

        assert_int_equal(nw_engine_open(&config, &f.engine), NW_OK);
        assert_int_equal(nw_mem_map(f.engine, CODE, 2 * PAGE, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_map(f.engine, DATA, PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_vcpu_create(f.engine, &f.vcpu), NW_OK);
        check_all(&f);
        nw_engine_close(f.engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_invalid)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
