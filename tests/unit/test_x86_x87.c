/* Every x87 instruction on random operands, control words and stacks, against the host's unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

#include "../diff/rng.h"
#include "guest/x86/x87.h"

enum { CODE = 0x10000, DATA = 0x20000, STUB = 16, FORMS = 8 * 72, ROUNDS = 1000 };

struct machine {
    nw_engine *engine;
    nw_vcpu *vcpu;
};

struct test_case {
    struct x87_image image;
    uint8_t operand[16];
    uint32_t eflags;
};

/* The second byte of form N of a first byte: 8 with a memory operand at [rcx], 64 without. */
static unsigned second_byte(unsigned n)
{
    return n < 8 ? n << 3 | 1 : 0xc0 + (n - 8);
}

static bool moves_environment(unsigned form)
{
    unsigned first = form / 72, n = form % 72;
    return (first == 1 || first == 5) && (n == 4 || n == 6);
}

static bool host_is_amd(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541; /* Auth */
}

static struct machine open_machine(uint32_t flags)
{
    struct machine m;
    nw_config config = {
        .arch = NW_ARCH_X86_64, .cpu = host_is_amd() ? NULL : "haswell", .flags = flags};
    assert_int_equal(nw_engine_open(&config, &m.engine), NW_OK);
    assert_int_equal(nw_mem_map(m.engine, CODE, 0x10000, NW_RWX), NW_OK);
    assert_int_equal(nw_mem_map(m.engine, DATA, 0x1000, NW_RW), NW_OK);
    assert_int_equal(nw_vcpu_create(m.engine, &m.vcpu), NW_OK);
    for (unsigned form = 0; form < FORMS; form++) {
        uint8_t code[STUB] = {(uint8_t)(0xd8 + form / 72), (uint8_t)second_byte(form % 72), 0x90};
        assert_int_equal(nw_mem_write(m.engine, CODE + form * STUB, code, STUB), NW_OK);
    }
    return m;
}

/* ---- the reference ---- */

static uint8_t *native_code;

static void map_native(void)
{
    native_code =
        mmap(NULL, 0x10000, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(native_code != MAP_FAILED);
    for (unsigned form = 0; form < FORMS; form++) {
        uint8_t *at = native_code + form * STUB;
        at[0] = (uint8_t)(0xd8 + form / 72);
        at[1] = (uint8_t)second_byte(form % 72);
        at[2] = 0xc3;
    }
}

/* Gives RAX. */
static uint64_t run_native(struct test_case *c, unsigned form)
{
    uint64_t flags = c->eflags, rax = 0;
    struct x87_image after;
    __asm__ volatile("sub $128, %%rsp\n\t"
                     "frstor %4\n\t"
                     "push %1\n\tpopfq\n\t"
                     "call *%5\n\t"
                     "pushfq\n\tpop %1\n\t"
                     "add $128, %%rsp\n\t"
                     "fnsave %2"
                     : "+a"(rax), "+d"(flags), "=m"(after), "+m"(c->operand)
                     : "m"(c->image), "r"(native_code + form * STUB), "c"(c->operand)
                     : "cc", "memory");
    c->image = after;
    c->eflags = (uint32_t)flags;
    return rax;
}

/* ---- Narwhal ---- */

static bool run_guest(struct machine *m, struct test_case *c, unsigned form, uint64_t *rax)
{
    struct x86_state *s = x86_of(m->vcpu);
    nw_exit exit;

    x87_set_control(s, c->image.cw);
    x87_from_image(s, &c->image);
    s->fpop = 0;
    s->fpdp = 0;
    nw_reg_write(m->vcpu, NW_X86_RFLAGS, c->eflags);
    s->gpr[X86_RAX] = 0;
    s->gpr[X86_RCX] = DATA;
    nw_reg_write(m->vcpu, NW_X86_RIP, CODE + form * STUB);
    assert_int_equal(nw_mem_write(m->engine, DATA, c->operand, 16), NW_OK);
    assert_int_equal(nw_vcpu_run(m->vcpu, 1, &exit), NW_OK);
    if (exit.reason == NW_EXIT_UNDEFINED || exit.reason == NW_EXIT_EXCEPTION)
        return false;
    assert_int_equal(exit.reason, NW_EXIT_LIMIT);
    assert_int_equal(exit.pc, CODE + form * STUB + 2);
    assert_int_equal(nw_mem_read(m->engine, DATA, c->operand, 16), NW_OK);
    uint64_t flags;
    nw_reg_read(m->vcpu, NW_X86_RFLAGS, &flags);
    c->eflags = (uint32_t)flags;
    *rax = s->gpr[X86_RAX];
    x87_to_image(s, &c->image);
    c->image.tw = x87_tag_word(s);
    c->image.cs = (uint32_t)s->fpop << 16;
    return true;
}

/* ---- cases ---- */

static void random_number(struct rng *r, uint8_t *to)
{
    static const uint16_t exponents[] = {0,           1,           16383,        16384,
                                         16382,       16383 + 31,  0x7fff,       0x7ffe,
                                         16383 + 63,  16383 - 63,  16383 + 1023, 16383 - 1023,
                                         16383 + 127, 16383 - 127, 16383 - 149,  16383 - 1074};
    static const uint64_t mantissas[] = {0,
                                         1ull << 63,
                                         3ull << 62,
                                         1ull << 62,
                                         UINT64_MAX,
                                         5ull << 61,
                                         1ull << 63 | 1,
                                         1ull << 63 | 0x400,
                                         1ull << 63 | 1ull << 39};
    uint64_t mantissa = next(r);
    uint16_t high = (uint16_t)next(r);

    if (below(r, 3)) {
        high = (uint16_t)((high & 0x8000) | exponents[below(r, 16)]);
        if (!below(r, 3))
            high = (uint16_t)(high + below(r, 5) - 2);
    }
    if (!below(r, 4))
        mantissa = mantissas[below(r, 9)];
    else if (below(r, 8))
        mantissa |= 1ull << 63;
    if (!below(r, 3))
        mantissa &= ~0x7ffull << below(r, 40);
    memcpy(to, &mantissa, 8);
    memcpy(to + 8, &high, 2);
}

static void random_operand(struct rng *r, uint8_t *to)
{
    uint64_t wide = next(r);
    uint32_t narrow = (uint32_t)next(r);
    random_number(r, to);
    random_number(r, to + 6);
    switch (below(r, 6)) {
    case 0: memcpy(to, &wide, 8); break;
    case 1: memcpy(to, &narrow, 4); break;
    case 2:
        wide = (wide & 0x800fffffffffffff) | (uint64_t)(1023 + below(r, 5) - 2) << 52;
        memcpy(to, &wide, 8);
        break;
    case 3:
        narrow = (narrow & 0x807fffff) | (uint32_t)(127 + below(r, 5) - 2) << 23;
        memcpy(to, &narrow, 4);
        break;
    case 4:
        wide = below(r, 5) - 2;
        memcpy(to, &wide, 8);
        break;
    default:
        for (unsigned n = 0; n < 9; n++) /* BCD */
            to[n] = (uint8_t)(below(r, 10) << 4 | below(r, 10));
        to[9] = (uint8_t)(below(r, 2) << 7);
        break;
    }
}

static void random_case(struct rng *r, struct test_case *c)
{
    memset(c, 0, sizeof *c);
    c->image.cw = (uint32_t)next(r) & 0xf3f;
    if (below(r, 3))
        c->image.cw |= 0x33f;
    c->image.sw = (uint32_t)next(r) & 0x7f7f;
    if (below(r, 2))
        c->image.sw &= ~0x3fu;
    c->image.sw &= ~(~c->image.cw & 0x3f); /* nothing pending */
    c->image.tw = below(r, 3) ? 0 : (uint32_t)next(r) & 0xffff;
    if (!below(r, 3))
        c->image.tw |= 3u << 2 * (((c->image.sw >> 11) - 1) & 7);
    for (unsigned n = 0; n < 8; n++)
        random_number(r, c->image.st[n]);
    if (!below(r, 4)) {
        memcpy(c->image.st[1], c->image.st[0], 10);
        c->image.st[1][0] ^= (uint8_t)below(r, 2);
        c->image.st[1][9] ^= (uint8_t)(below(r, 2) << 7);
    }
    random_operand(r, c->operand);
    c->eflags = 0x202 | ((uint32_t)next(r) & 0x8d5);
}

static bool same(const struct test_case *a, const struct test_case *b, uint64_t rax_a,
                 uint64_t rax_b)
{
    return !((a->image.cw ^ b->image.cw) & 0xffff) && !((a->image.sw ^ b->image.sw) & 0xffff) &&
           !((a->image.tw ^ b->image.tw) & 0xffff) &&
           memcmp(a->image.st, b->image.st, sizeof a->image.st) == 0 &&
           (a->image.cs ^ b->image.cs) >> 16 == 0 && memcmp(a->operand, b->operand, 16) == 0 &&
           !((a->eflags ^ b->eflags) & 0x8d5) && rax_a == rax_b;
}

/* FCOMI and its sisters with an exception that is unmasked: Intel's processors set the
 * flags, AMD's and the guest leave them. */
static bool keeps_flags(unsigned form, const struct test_case *after)
{
    unsigned first = form / 72, n = form % 72;
    bool fcomi = (first == 3 || first == 7) && second_byte(n) >= 0xe8 && second_byte(n) < 0xf8;
    return fcomi && !host_is_amd() && (after->image.sw & 0x80);
}

static void print_case(const char *name, const struct test_case *c)
{
    printf("%s cw %04x sw %04x tw %04x op %03x eflags %03x operand ", name, c->image.cw & 0xffff,
           c->image.sw & 0xffff, c->image.tw & 0xffff, c->image.cs >> 16 & 0x7ff,
           c->eflags & 0x8d5);
    for (unsigned n = 10; n-- > 0;)
        printf("%02x", c->operand[n]);
    for (unsigned i = 0; i < 8; i++) {
        printf(" ");
        for (unsigned n = 10; n-- > 0;)
            printf("%02x", c->image.st[i][n]);
    }
    printf("\n");
}

static unsigned compare_form(struct machine *m, struct rng *r, unsigned form)
{
    unsigned bad = 0;
    for (unsigned n = 0; n < ROUNDS && bad < 3; n++) {
        struct test_case before, native, guest;
        uint64_t native_rax, guest_rax = 0;
        random_case(r, &before);
        native = guest = before;
        if (!run_guest(m, &guest, form, &guest_rax))
            return 0;
        native_rax = run_native(&native, form);
        /* Control instructions leave the opcode alone. */
        if (!(native.image.cs >> 16))
            guest.image.cs &= native.image.cs;
        if (keeps_flags(form, &guest))
            guest.eflags = native.eflags;
        if (same(&native, &guest, native_rax, guest_rax))
            continue;
        bad++;
        printf("%02x %02x differs\n", 0xd8 + form / 72, second_byte(form % 72));
        print_case("  before", &before);
        print_case("  native", &native);
        print_case("  guest ", &guest);
    }
    return bad;
}

static void compare_all(uint32_t flags)
{
    struct machine m = open_machine(flags);
    struct rng r = {0x9e3779b97f4a7c15};
    unsigned bad = 0;
    for (unsigned form = 0; form < FORMS; form++)
        if (!moves_environment(form))
            bad += compare_form(&m, &r, form);
    nw_engine_close(m.engine);
    assert_int_equal(bad, 0);
}

static void test_interpreter(void **state)
{
    (void)state;
    compare_all(NW_ENGINE_INTERP);
}

static void test_translator(void **state)
{
    (void)state;
    compare_all(0);
}

/* ---- blocks that go to and fro between x87 and MMX ---- */

static const struct {
    uint8_t size, bytes[4];
} pieces[] = {
    {2, {0xd8, 0xc1}},             /* fadd st, st1 */
    {2, {0xde, 0xc9}},             /* fmulp st1 */
    {2, {0xd9, 0xe8}},             /* fld1 */
    {2, {0xd9, 0xcb}},             /* fxch st3 */
    {2, {0xd9, 0xc2}},             /* fld st2 */
    {2, {0xdd, 0xda}},             /* fstp st2 */
    {2, {0xdd, 0x01}},             /* fld m64 */
    {2, {0xdd, 0x19}},             /* fstp m64 */
    {2, {0xdb, 0x29}},             /* fld m80 */
    {2, {0xdb, 0x39}},             /* fstp m80 */
    {2, {0xdf, 0xe0}},             /* fnstsw ax */
    {2, {0xdb, 0xf1}},             /* fcomi st1 */
    {2, {0xd9, 0xf7}},             /* fincstp */
    {2, {0xdd, 0xc3}},             /* ffree st3 */
    {2, {0x0f, 0x77}},             /* emms */
    {3, {0x0f, 0xfc, 0xca}},       /* paddb mm1, mm2 */
    {3, {0x0f, 0x6f, 0xd9}},       /* movq mm3, mm1 */
    {3, {0x0f, 0x6f, 0x11}},       /* movq mm2, m64 */
    {3, {0x0f, 0x7f, 0x09}},       /* movq m64, mm1 */
    {3, {0x0f, 0x6e, 0xf8}},       /* movd mm7, eax */
    {3, {0x0f, 0x7e, 0xd8}},       /* movd eax, mm3 */
    {3, {0x0f, 0x63, 0xfa}},       /* packsswb mm7, mm2 */
    {4, {0x0f, 0x70, 0xc7, 0x1b}}, /* pshufw mm0, mm7 */
};
enum { PIECES = sizeof pieces / sizeof *pieces, BLOCK = 10 };

static unsigned random_block(struct rng *r, uint8_t *code)
{
    unsigned size = 0;
    for (unsigned n = 0; n < BLOCK; n++) {
        unsigned piece = below(r, PIECES);
        memcpy(code + size, pieces[piece].bytes, pieces[piece].size);
        size += pieces[piece].size;
    }
    code[size] = 0xc3;
    code[size + 1] = 0x90;
    return size;
}

static bool run_block(struct machine *m, struct test_case *c, const uint8_t *code, unsigned size,
                      uint64_t *rax)
{
    struct x86_state *s = x86_of(m->vcpu);
    uint64_t at = CODE + FORMS * STUB, flags;
    nw_exit exit;

    assert_int_equal(nw_mem_write(m->engine, at, code, size + 1), NW_OK);
    x87_set_control(s, c->image.cw);
    x87_from_image(s, &c->image);
    nw_reg_write(m->vcpu, NW_X86_RFLAGS, c->eflags);
    s->gpr[X86_RAX] = 0;
    s->gpr[X86_RCX] = DATA;
    nw_reg_write(m->vcpu, NW_X86_RIP, at);
    assert_int_equal(nw_mem_write(m->engine, DATA, c->operand, 16), NW_OK);
    assert_int_equal(nw_vcpu_run(m->vcpu, BLOCK, &exit), NW_OK);
    nw_reg_read(m->vcpu, NW_X86_RFLAGS, &flags);
    assert_int_equal(nw_mem_read(m->engine, DATA, c->operand, 16), NW_OK);
    c->eflags = (uint32_t)flags;
    *rax = s->gpr[X86_RAX];
    x87_to_image(s, &c->image);
    c->image.tw = x87_tag_word(s);
    return exit.reason == NW_EXIT_LIMIT;
}

static void test_blocks(void **state)
{
    (void)state;
    struct machine m = open_machine(0);
    struct rng r = {0x2545f4914f6cdd1d};
    uint8_t *code = native_code + FORMS * STUB;
    unsigned bad = 0;

    for (unsigned n = 0; n < 20000 && bad < 3; n++) {
        struct test_case before, native, guest;
        uint64_t native_rax, guest_rax;
        unsigned size = random_block(&r, code);
        random_case(&r, &before);
        before.image.cw |= 0x3f;
        native = guest = before;
        bool complete = run_block(&m, &guest, code, size, &guest_rax);
        native_rax = run_native(&native, FORMS);
        guest.image.cs = native.image.cs = 0;
        if (complete && same(&native, &guest, native_rax, guest_rax))
            continue;
        bad++;
        for (unsigned i = 0; i < size; i++)
            printf("%02x ", code[i]);
        printf("\n");
        print_case("  before", &before);
        print_case("  native", &native);
        print_case("  guest ", &guest);
    }
    nw_engine_close(m.engine);
    assert_int_equal(bad, 0);
}

/* ---- exceptions that are not masked ---- */

/* Runs CODE with zero divide unmasked until it raises VECTOR at CODE + AT. */
static void expect_exception(const uint8_t *code, size_t size, unsigned vector, unsigned at)
{
    for (uint32_t flags = 0; flags <= NW_ENGINE_INTERP; flags++) {
        struct machine m = open_machine(flags);
        struct x86_state *s = x86_of(m.vcpu);
        nw_exit exit;
        assert_int_equal(nw_mem_write(m.engine, CODE, code, size), NW_OK);
        x87_set_control(s, 0x37b);
        s->gpr[X86_RCX] = DATA;
        s->gpr[X86_RDX] = 0x1000; /* nothing there */
        nw_reg_write(m.vcpu, NW_X86_RIP, CODE);
        assert_int_equal(nw_vcpu_run(m.vcpu, 0, &exit), NW_OK);
        assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
        assert_int_equal(exit.code, vector);
        assert_int_equal(exit.pc, CODE + at);
        assert_int_equal(s->fpip, CODE + 4);
        nw_engine_close(m.engine);
    }
}

/* fld1, fldz, fdivp: 1 / 0 */
#define DIVIDE 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9

static void test_pending(void **state)
{
    (void)state;
    /* The next waiting instruction raises it, before it accesses memory. */
    static const uint8_t status[] = {DIVIDE, 0xdf, 0xe0, 0xd9, 0xe8};      /* fnstsw ax, fld1 */
    static const uint8_t load[] = {DIVIDE, 0xdd, 0x02};                    /* fld m64 [rdx] */
    static const uint8_t mmx[] = {DIVIDE, 0x0f, 0x6f, 0x02};               /* movq mm0, [rdx] */
    static const uint8_t wait[] = {DIVIDE, 0x90, 0x9b};                    /* nop, fwait */
    static const uint8_t clear[] = {DIVIDE, 0xdb, 0xe2, 0x9b, 0x0f, 0x0b}; /* fnclex, fwait, ud2 */
    static const uint8_t save[] = {DIVIDE, 0xd9, 0x31, 0x9b, 0xcc}; /* fnstenv, fwait, int3 */
    expect_exception(status, sizeof status, 16, 8);
    expect_exception(load, sizeof load, 16, 6);
    expect_exception(mmx, sizeof mmx, 16, 6);
    expect_exception(wait, sizeof wait, 16, 7);
    expect_exception(clear, sizeof clear, 6, 9);
    expect_exception(save, sizeof save, 3, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interpreter),
        cmocka_unit_test(test_translator),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_pending),
    };
    map_native();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
