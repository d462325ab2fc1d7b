/* What reaches the sink. */
#include "toy.h"

#include <narwhal/log.h>
#include <string.h>

struct sink {
    char text[1 << 16];
    size_t size;
    unsigned in_asm, out_asm;
};

static void on_text(void *opaque, enum nw_log_kind kind, const char *text, size_t size)
{
    struct sink *s = opaque;

    (void)kind;
    assert_true(size > 0 && text[size - 1] == '\n');
    if (s->size + size < sizeof s->text) {
        memcpy(s->text + s->size, text, size);
        s->size += size;
    }
}

static void on_code(void *opaque, enum nw_log_kind kind, nw_arch arch, uint64_t addr, uint32_t mode,
                    const void *bytes, size_t size)
{
    struct sink *s = opaque;
    uint32_t word;

    (void)mode;
    assert_true(size > 0);
    assert_int_equal(arch, toy_guest.arch);
    if (kind == NW_LOG_IN_ASM) {
        if (addr == TOY_CODE && s->in_asm++ == 0) {
            memcpy(&word, bytes, 4);
            assert_int_equal(word, TOY(LI, 1, 0, 3));
        }
    } else {
        assert_int_equal(kind, NW_LOG_OUT_ASM);
        s->out_asm++;
    }
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void test_log(void **state)
{
    (void)state;
    EACH_MODE(m)
    {
        static struct sink sink;
        nw_log log = {.kinds = NW_LOG_IN_ASM | NW_LOG_IR | NW_LOG_OUT_ASM | NW_LOG_EXEC |
                               NW_LOG_INT | NW_LOG_MMU,
                      .text = on_text,
                      .code = on_code,
                      .opaque = &sink};
        struct toy t;

        memset(&sink, 0, sizeof sink);
        t = toy_open_config(m, (nw_config){.log = &log});
        TOY_LOAD(&t, TOY_CODE, TOY(LI, 1, 0, 3), TOY(ADDI, 2, 2, 1), TOY(ADDI, 1, 1, -1),
                 TOY(BNE, 1, 0, -2), TOY(LD, 3, 5, 0));
        toy_set(&t, 5, 0x700000);
        assert_int_equal(toy_run(&t, TOY_CODE, 0), NW_EXIT_FAULT);
        assert_true(sink.in_asm >= 1);
        assert_true(toy_translates(m) ? sink.out_asm >= 2 : sink.out_asm == 0);
        assert_int_equal(count(sink.text, "IR lifted: pc 0x1000"), 1);
        assert_int_equal(count(sink.text, "IR optimised: pc 0x1000"), 1);
        /* Each run of each block: no chaining. */
        assert_int_equal(count(sink.text, "00001004 mode 0: r1="), 2);
        assert_int_equal(count(sink.text, "r1=3 r2=1"), 0);
        assert_int_equal(count(sink.text, "r1=2 r2=1"), 1);
        assert_int_equal(count(sink.text, "read fault at 0x700000"), 1);
        assert_int_equal(count(sink.text, "exception 1"), 1);
        toy_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
