/* The dead walk and the verifier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ir/pass.h"
#include "ir_fix.h"
#include "ir_stub.h"

static void put(struct fix *f, unsigned reg, ir_val v)
{
    ir_put(f->b, IR_I32, reg * 4, v);
}

/* A value that nothing folds. */
static ir_val product(struct fix *f, unsigned x, unsigned y)
{
    return ir_mul(f->b, IR_I32, get(f, x), get(f, y));
}

static void finish(struct fix *f)
{
    ir_exit(f->b, 0x1000, 0);
    ir_end(f->b);
    assert_int_equal(ir_run_passes(&f->r), NW_OK);
    assert_true(ir_verify(&f->r, NULL, 0));
    assert_int_equal(f->r.marks.len, f->r.insns.len);
    assert_int_equal(f->r.uses.len, f->r.insns.len);
}

/* The nth record of OP from the start, or IR_NONE. */
static ir_val nth(const struct fix *f, enum ir_op op, unsigned n)
{
    for (uint32_t v = 0; v < f->r.insns.len; v++)
        if (f->r.insns.at[v].op == op && n-- == 0)
            return v;
    return IR_NONE;
}

static unsigned count(const struct fix *f, enum ir_op op)
{
    unsigned n = 0;
    while (nth(f, op, n) != IR_NONE)
        n++;
    return n;
}

static void dead_values_go(void **state)
{
    struct fix *f = *state;
    ir_val x = product(f, 0, 1);
    ir_nzcv_sub(f->b, IR_I32, x, get(f, 2), IR_NONE, IR_NONE);
    ir_get(f->b, IR_I32, 40);
    put(f, 3, ir_add(f->b, IR_I32, x, x));
    finish(f);
    assert_int_equal(count(f, IR_nzcv_sub), 0);
    assert_int_equal(count(f, IR_get), 2);
    assert_int_equal(f->r.uses.at[nth(f, IR_mul, 0)], 2);
    assert_int_equal(f->r.uses.at[nth(f, IR_add, 0)], 1);
}

static void dead_flags_go(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), y = get(f, 1);
    put(f, 16, ir_nzcv_sub(f->b, IR_I32, x, y, IR_NONE, IR_NONE));
    put(f, 16, ir_nzcv_add(f->b, IR_I32, x, y, IR_NONE, IR_NONE));
    finish(f);
    assert_int_equal(count(f, IR_nzcv_sub), 0);
    assert_int_equal(count(f, IR_nzcv_add), 1);
    assert_int_equal(count(f, IR_put), 1);
}

static void overlapping_gets_observe(void **state)
{
    struct fix *f = *state;
    put(f, 0, product(f, 1, 2));
    put(f, 4, ir_get(f->b, IR_I16, 2));
    put(f, 0, product(f, 3, 2));
    finish(f);
    assert_int_equal(count(f, IR_put), 3);
}

/* Only a wider put whose words are all put again is dead. */
static void partial_puts_keep(void **state)
{
    struct fix *f = *state;
    ir_put(f->b, IR_I64, 0, ir_get(f->b, IR_I64, 64));
    put(f, 1, get(f, 5));
    ir_put(f->b, IR_I8, 8, get(f, 6));
    ir_put(f->b, IR_I8, 8, get(f, 7));
    finish(f);
    assert_int_equal(count(f, IR_put), 4);
}

static void faults_make_puts_cold(void **state)
{
    struct fix *f = *state;
    ir_val addr = get(f, 8), x = product(f, 0, 1);
    ir_insn_start(f->b, 0, 0);
    put(f, 2, ir_not(f->b, IR_I32, x));
    ir_st(f->b, IR_I32, addr, x, 2);
    put(f, 2, addr);
    finish(f);
    ir_val cold = nth(f, IR_put, 0), value = nth(f, IR_not, 0);
    assert_int_equal(count(f, IR_put), 2);
    assert_int_equal(f->r.marks.at[cold], IR_MARK_COLD_PUT);
    assert_int_equal(f->r.marks.at[value], IR_MARK_COLD_VALUE);
    assert_int_equal(f->r.uses.at[value], 0);
    assert_int_equal(f->r.marks.at[nth(f, IR_mul, 0)], 0);
    assert_int_equal(f->r.uses.at[nth(f, IR_mul, 0)], 1);
    assert_int_equal(f->r.marks.at[nth(f, IR_put, 1)], 0);
}

/* Two cold puts of one slot, each for the faults between it and the next. */
static void cold_puts_follow_each_other(void **state)
{
    struct fix *f = *state;
    ir_val addr = get(f, 8);
    ir_insn_start(f->b, 0, 0);
    put(f, 2, product(f, 0, 1));
    put(f, 3, ir_ld(f->b, IR_I32, addr, 2));
    put(f, 2, product(f, 0, 4));
    put(f, 3, ir_ld(f->b, IR_I32, addr, 2));
    put(f, 2, addr);
    finish(f);
    assert_int_equal(f->r.marks.at[nth(f, IR_put, 0)], IR_MARK_COLD_PUT);
    /* r3 of the first load is seen by the second one's fault only; a load is never cold itself. */
    assert_int_equal(f->r.marks.at[nth(f, IR_put, 1)], IR_MARK_COLD_PUT);
    assert_int_equal(f->r.marks.at[nth(f, IR_put, 2)], IR_MARK_COLD_PUT);
    assert_int_equal(f->r.marks.at[nth(f, IR_ld, 0)], 0);
    assert_int_equal(f->r.marks.at[nth(f, IR_put, 3)], 0);
}

static uint64_t nothing(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)vcpu, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

static void observers_keep_puts_hot(void **state)
{
    static const struct ir_helper reads = {"reads", nothing, IR_H_READS, IR_VOID, 0};
    struct fix *f = *state;
    put(f, 0, product(f, 1, 2));
    ir_exit_if(f->b, get(f, 5), 0x20, 0);
    put(f, 0, product(f, 1, 3));
    ir_call(f->b, &reads, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    put(f, 0, product(f, 1, 4));
    uint32_t label = ir_label_new(f->b);
    ir_skip_if(f->b, get(f, 5), label);
    put(f, 0, product(f, 1, 6));
    ir_label(f->b, label);
    put(f, 0, product(f, 1, 7));
    finish(f);
    assert_int_equal(count(f, IR_put), 5);
    for (unsigned n = 0; n < 5; n++)
        assert_int_equal(f->r.marks.at[nth(f, IR_put, n)], 0);
}

static void effects_stay(void **state)
{
    static const struct ir_helper pure = {"pure", nothing, IR_H_PURE, IR_I32, 0};
    static const struct ir_helper other = {"other", nothing, 0, IR_I32, 0};
    struct fix *f = *state;
    ir_val x = ir_get(f->b, IR_F32, 0);
    ir_insn_start(f->b, 0, 0);
    ir_fadd(f->b, IR_F32, x, x);
    ir_ld(f->b, IR_I32, get(f, 1), 2);
    ir_call(f->b, &pure, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_call(f->b, &other, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    finish(f);
    assert_int_equal(count(f, IR_fadd), 1);
    assert_int_equal(count(f, IR_ld), 1);
    assert_int_equal(count(f, IR_call), 1);
    assert_int_equal(count(f, IR_insn), 1);
}

/* ---- the verifier ---- */

static ir_val raw(struct fix *f, struct ir_insn i)
{
    assert_true(VEC_PUSH(&f->r.insns, i));
    return f->r.insns.len - 1;
}

static void rejects(struct fix *f, const char *reason)
{
    char why[200] = "";
    assert_false(ir_verify(&f->r, why, sizeof why));
    if (!strstr(why, reason))
        fail_msg("\"%s\" does not say \"%s\"", why, reason);
    f->r.insns.len = 0;
}

static void verifier_rejects(void **state)
{
    struct fix *f = *state;
    const struct ir_insn one = {.op = IR_const, .type = IR_I32, .b = 1},
                         end = {.op = IR_exit_state};
    rejects(f, "does not end");
    raw(f, one);
    rejects(f, "does not end");
    raw(f, end);
    raw(f, one);
    rejects(f, "cannot be reached");
    raw(f, (struct ir_insn){.op = IR_not, .type = IR_I32, .a = 0});
    rejects(f, "not made before");
    raw(f, one);
    raw(f, (struct ir_insn){.op = IR_not, .type = IR_I64, .a = 0});
    rejects(f, "has type");
    raw(f, one);
    raw(f, (struct ir_insn){.op = IR_ubfx, .type = IR_I32, .a = 0, .aux = 24 | 9 << 8});
    rejects(f, "field");
    raw(f, (struct ir_insn){.op = IR_exit, .a = 3});
    rejects(f, "exit 3 does not exist");
    raw(f, (struct ir_insn){.op = IR_OP_COUNT});
    rejects(f, "no such operation");
    f->r.nlabels = 1;
    raw(f, one);
    raw(f, (struct ir_insn){.op = IR_skip_if, .a = 0, .b = 0});
    raw(f, end);
    rejects(f, "never placed");
    raw(f, one);
    raw(f, (struct ir_insn){.op = IR_skip_if, .a = 0, .b = 0});
    raw(f, one);
    raw(f, (struct ir_insn){.op = IR_label, .a = 0});
    raw(f, (struct ir_insn){.op = IR_put, .type = IR_I32, .a = 2, .b = 0});
    rejects(f, "inside a skipped part");
    raw(f, (struct ir_insn){.op = IR_label, .a = 0});
    raw(f, (struct ir_insn){.op = IR_label, .a = 0});
    rejects(f, "twice");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dead_values_go),           TEST(dead_flags_go),
        TEST(overlapping_gets_observe), TEST(partial_puts_keep),
        TEST(faults_make_puts_cold),    TEST(cold_puts_follow_each_other),
        TEST(observers_keep_puts_hot),  TEST(effects_stay),
        TEST(verifier_rejects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
