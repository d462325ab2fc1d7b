/* The interpreter: ways out, exact state at faults, calls, floating point, sub-word state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ir/build.h"
#include "ir_stub.h"

struct fix {
    struct ir_builder *b;
    struct ir_region r;
    struct stub *s;
};

static int setup(void **state)
{
    struct fix *f = calloc(1, sizeof *f);
    f->b = ir_builder_new();
    f->s = stub_new();
    ir_region_init(&f->r);
    ir_begin(f->b, &f->r);
    f->r.pc_offset = STUB_PC;
    f->r.aux_offset = STUB_AUX;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fix *f = *state;
    ir_region_free(&f->r);
    ir_builder_free(f->b);
    free(f->s);
    free(f);
    return 0;
}

static ir_val get(struct fix *f, unsigned reg)
{
    return ir_get(f->b, IR_I32, reg * 4);
}

static void put(struct fix *f, unsigned reg, ir_val v)
{
    ir_put(f->b, IR_I32, reg * 4, v);
}

static void set(struct fix *f, unsigned reg, uint32_t bits)
{
    memcpy(f->s->vcpu.state + reg * 4, &bits, 4);
}

static enum ir_leave run(struct fix *f)
{
    char why[120] = "";
    ir_end(f->b);
    if (!ir_verify(&f->r, why, sizeof why))
        fail_msg("%s", why);
    return stub_run(f->s, &f->r);
}

static void is(const struct fix *f, unsigned reg, uint32_t want)
{
    assert_int_equal(stub_word(f->s, reg * 4), want);
}

static void exits_set_the_pc(void **state)
{
    struct fix *f = *state;
    ir_insn_start(f->b, 0x100, 5);
    ir_exit_if(f->b, get(f, 0), 0x200, 0);
    ir_exit_ind(f->b, get(f, 1), get(f, 2));
    set(f, 1, 0x300);
    assert_int_equal(run(f), IR_LEFT_EXIT);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x300);
    set(f, 0, 1);
    assert_int_equal(stub_run(f->s, &f->r), IR_LEFT_EXIT);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x200);
    /* The aux word is written by exceptions alone. */
    assert_int_equal(stub_word(f->s, STUB_AUX), 0);
}

static void exceptions_advance(void **state)
{
    struct fix *f = *state;
    ir_insn_start(f->b, 0x100, 5);
    uint32_t label = ir_label_new(f->b);
    ir_skip_if(f->b, get(f, 0), label);
    ir_exit_exc(f->b, EXC_UNDEFINED, 0, 0);
    ir_label(f->b, label);
    ir_exit_exc(f->b, EXC_SYSCALL, 42, 4);
    assert_int_equal(run(f), IR_LEFT_RAISED);
    assert_int_equal(f->s->vcpu.exc.kind, EXC_UNDEFINED);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x100);
    assert_int_equal(stub_word(f->s, STUB_AUX), 5);
    uint32_t other = 9;
    memcpy(f->s->vcpu.state + STUB_AUX, &other, 4);
    set(f, 0, 1);
    assert_int_equal(stub_run(f->s, &f->r), IR_LEFT_RAISED);
    assert_int_equal(f->s->vcpu.exc.payload, 42);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x104);
    assert_int_equal(stub_word(f->s, STUB_AUX), 9);
}

/* The second instruction faults: the first one's effects are there, its own and later ones' not. */
static void faults_are_exact(void **state)
{
    struct fix *f = *state;
    ir_insn_start(f->b, 0x100, 1);
    put(f, 2, ir_ld(f->b, IR_I32, get(f, 0), 2));
    ir_insn_start(f->b, 0x104, 2);
    ir_st(f->b, IR_I32, get(f, 1), get(f, 2), 2);
    put(f, 3, get(f, 2));
    ir_exit(f->b, 0x108, 0);
    set(f, 0, 16);
    set(f, 1, STUB_MEMORY - 3);
    f->s->memory[16] = 0x77;
    assert_int_equal(run(f), IR_LEFT_RAISED);
    assert_int_equal(f->s->vcpu.exc.kind, EXC_MEM);
    assert_int_equal(f->s->vcpu.exc.addr, STUB_MEMORY - 3);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x104);
    assert_int_equal(stub_word(f->s, STUB_AUX), 2);
    is(f, 2, 0x77);
    is(f, 3, 0);
    /* Without the fault pc and aux are not left behind by the accesses. */
    uint32_t aux = 8;
    memcpy(f->s->vcpu.state + STUB_AUX, &aux, 4);
    set(f, 1, 32);
    assert_int_equal(stub_run(f->s, &f->r), IR_LEFT_EXIT);
    assert_int_equal(stub_word(f->s, STUB_PC), 0x108);
    assert_int_equal(stub_word(f->s, STUB_AUX), 8);
    assert_int_equal(f->s->memory[32], 0x77);
}

static void loads_extend(void **state)
{
    struct fix *f = *state;
    ir_val addr = get(f, 0);
    put(f, 1, ir_ld(f->b, IR_I32, addr, 0));
    put(f, 2, ir_ld(f->b, IR_I32, addr, IR_MEM_SIGNED));
    ir_put(f->b, IR_I64, 16, ir_ld(f->b, IR_I64, addr, 1 | IR_MEM_SIGNED));
    put(f, 6, ir_cas(f->b, IR_I32, addr, ir_const32(f->b, 0xff80), ir_const32(f->b, 7), 1));
    put(f, 7, ir_cas(f->b, IR_I32, addr, ir_const32(f->b, 0xff80), ir_const32(f->b, 8), 1));
    ir_exit(f->b, 0, 0);
    f->s->memory[0] = 0x80;
    f->s->memory[1] = 0xff;
    assert_int_equal(run(f), IR_LEFT_EXIT);
    is(f, 1, 0x80);
    is(f, 2, 0xffffff80);
    is(f, 4, 0xffffff80);
    is(f, 5, 0xffffffff);
    is(f, 6, 0xff80);
    is(f, 7, 7);
    assert_int_equal(f->s->memory[0], 7);
    assert_int_equal(f->s->memory[1], 0);
}

static uint64_t sees_pc(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint32_t pc, aux;
    memcpy(&pc, vcpu->state + STUB_PC, 4);
    memcpy(&aux, vcpu->state + STUB_AUX, 4);
    if (d == 4)
        vcpu->leave = VCPU_LEAVE_STATE;
    return (uint64_t)0xdead << 32 | (pc + aux + a + b + c);
}

static void calls_see_the_state(void **state)
{
    static const struct ir_helper see = {"sees_pc", sees_pc, IR_H_READS | IR_H_EXITS, IR_I32, 4};
    struct fix *f = *state;
    ir_insn_start(f->b, 0x1000, 0x10);
    put(f, 1, ir_call(f->b, &see, get(f, 0), ir_const32(f->b, 2), ir_const32(f->b, 3), get(f, 2)));
    ir_exit(f->b, 0x2000, 0);
    set(f, 0, 1);
    assert_int_equal(run(f), IR_LEFT_EXIT);
    is(f, 1, 0x1016);
    set(f, 1, 0);
    set(f, 2, 4);
    assert_int_equal(stub_run(f->s, &f->r), IR_LEFT_RAISED);
    assert_int_equal(f->s->vcpu.leave, VCPU_LEAVE_STATE);
    is(f, 1, 0);
}

static void skips_skip(void **state)
{
    struct fix *f = *state;
    uint32_t over = ir_label_new(f->b), not_over = ir_label_new(f->b);
    ir_skip_if(f->b, get(f, 0), over);
    put(f, 1, ir_const32(f->b, 1));
    ir_label(f->b, over);
    ir_skip_ifnot(f->b, get(f, 0), not_over);
    put(f, 2, ir_const32(f->b, 2));
    ir_label(f->b, not_over);
    ir_exit(f->b, 0, 0);
    set(f, 0, 1);
    assert_int_equal(run(f), IR_LEFT_EXIT);
    is(f, 1, 0);
    is(f, 2, 2);
}

static void narrow_state(void **state)
{
    struct fix *f = *state;
    ir_put(f->b, IR_I8, 5, get(f, 0));
    put(f, 2, ir_get(f->b, IR_I8, 1));
    put(f, 3, ir_get(f->b, IR_I16, 2));
    ir_exit(f->b, 0, 0);
    set(f, 0, 0x89abcdef);
    set(f, 1, 0x11223344);
    assert_int_equal(run(f), IR_LEFT_EXIT);
    is(f, 1, 0x1122ef44);
    is(f, 2, 0xcd);
    is(f, 3, 0x89ab);
}

static void floating_point(void **state)
{
    struct fix *f = *state;
    ir_val x = ir_get(f->b, IR_F32, 0), y = ir_get(f->b, IR_F32, 4);
    ir_put(f->b, IR_F32, 8, ir_fdiv(f->b, IR_F32, x, y));
    put(f, 3, ir_op2(f->b, IR_fcmp, IR_F32, x, y, 0));
    put(f, 4, ir_op1(f->b, IR_f2si, IR_I32, ir_get(f->b, IR_F32, 20), FP_RZ));
    ir_put(f->b, IR_F64, 24, ir_fcvt(f->b, IR_F64, y));
    ir_put(f->b, IR_F32, 32, ir_si2f(f->b, IR_F32, get(f, 9)));
    ir_put(f->b, IR_F32, 40, ir_ui2f(f->b, IR_F32, get(f, 9)));
    ir_exit(f->b, 0, 0);
    set(f, 0, 0x3f800000); /* 1.0 */
    set(f, 1, 0x40400000); /* 3.0 */
    set(f, 5, 0xc0200000); /* -2.5 */
    set(f, 9, 0xffffffff);
    assert_int_equal(run(f), IR_LEFT_EXIT);
    is(f, 2, 0x3eaaaaab);
    is(f, 3, 8);
    is(f, 4, (uint32_t)-2);
    is(f, 7, 0x40080000);  /* 3.0, upper half */
    is(f, 8, 0xbf800000);  /* -1.0 */
    is(f, 10, 0x4f800000); /* 2^32 */
    assert_int_equal(f->s->vcpu.fp.flags, FP_INEXACT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exits_set_the_pc), TEST(exceptions_advance),  TEST(faults_are_exact),
        TEST(loads_extend),     TEST(calls_see_the_state), TEST(skips_skip),
        TEST(narrow_state),     TEST(floating_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
