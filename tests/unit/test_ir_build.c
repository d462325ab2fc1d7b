/* The builder: folding, sharing, forwarding, skips and flag tests, each by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ir/pass.h"
#include "ir_fix.h"
#include "ir_stub.h"

static ir_val k(struct fix *f, uint32_t bits)
{
    return ir_const32(f->b, bits);
}

static void is_const(struct fix *f, ir_val v, uint64_t want)
{
    uint64_t bits = ~want;
    assert_true(ir_is_const(f->b, v, &bits));
    assert_int_equal(bits, want);
}

static void is_record(struct fix *f, ir_val v, enum ir_op op, uint32_t a, uint32_t b, unsigned aux)
{
    const struct ir_insn *i = &f->r.insns.at[v];
    assert_string_equal(ir_rows[i->op].name, ir_rows[op].name);
    assert_int_equal(i->a, a);
    assert_int_equal(i->b, b);
    assert_int_equal(i->aux, aux);
}

static unsigned count(const struct fix *f, enum ir_op op)
{
    unsigned n = 0;
    for (uint32_t v = 0; v < f->r.insns.len; v++)
        n += f->r.insns.at[v].op == op;
    return n;
}

static void finish(struct fix *f)
{
    char why[120] = "";
    if (!ir_ended(f->b))
        ir_exit(f->b, 0, 0);
    ir_end(f->b);
    if (!ir_verify(&f->r, why, sizeof why))
        fail_msg("%s", why);
}

static void constants_fold(void **state)
{
    struct fix *f = *state;
    is_const(f, ir_add(f->b, IR_I32, k(f, 0xffffffff), k(f, 2)), 1);
    is_const(f, ir_add(f->b, IR_I64, ir_const64(f->b, 0xffffffff), ir_const64(f->b, 2)),
             0x100000001);
    is_const(f, ir_udiv(f->b, IR_I32, k(f, 7), k(f, 0)), 0);
    is_const(f, ir_sdiv(f->b, IR_I32, k(f, 0x80000000), k(f, 0xffffffff)), 0x80000000);
    is_const(f, ir_sdiv(f->b, IR_I64, ir_const64(f->b, 1ull << 63), ir_const64(f->b, ~0ull)),
             1ull << 63);
    is_const(f, ir_shl(f->b, IR_I32, k(f, 3), k(f, 33)), 6);
    is_const(f, ir_sar(f->b, IR_I32, k(f, 0x80000000), k(f, 31)), 0xffffffff);
    is_const(f, ir_clz(f->b, IR_I32, k(f, 0)), 32);
    is_const(f, ir_sbfx(f->b, IR_I32, k(f, 0x8000), 8, 8), 0xffffff80);
    is_const(f, ir_bfi(f->b, IR_I32, k(f, 0xffffffff), k(f, 0x12), 8, 8), 0xffff12ff);
    is_const(f, ir_mulhs(f->b, IR_I32, k(f, 0xffffffff), k(f, 2)), 0xffffffff);
    is_const(f, ir_sext(f->b, IR_I64, k(f, 0x80000000)), 0xffffffff80000000);
    is_const(f, ir_fneg(f->b, IR_F32, ir_bitcast(f->b, IR_F32, k(f, 0x3f800000))), 0xbf800000);
}

static void flags_of_constants_fold(void **state)
{
    struct fix *f = *state;
    is_const(f, ir_nzcv_sub(f->b, IR_I32, k(f, 5), k(f, 5), IR_NONE, IR_NONE), 6);
    is_const(f, ir_nzcv_sub(f->b, IR_I32, k(f, 0), k(f, 1), IR_NONE, IR_NONE), 8);
    is_const(f, ir_nzcv_add(f->b, IR_I32, k(f, 0x7fffffff), k(f, 0), k(f, 1), IR_NONE), 9);
    is_const(
        f,
        ir_nzcv_add(f->b, IR_I64, ir_const64(f->b, ~0ull), ir_const64(f->b, 1), IR_NONE, IR_NONE),
        6);
    is_const(f, ir_nzcv_logic(f->b, IR_I32, k(f, 0), k(f, 1), k(f, 1)), 7);
    is_const(f, ir_nzcv_logic(f->b, IR_I32, k(f, 0x80000000), IR_NONE, k(f, 3)), 11);
}

static void identities(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), zero = k(f, 0), ones = k(f, 0xffffffff);
    assert_int_equal(ir_add(f->b, IR_I32, x, zero), x);
    assert_int_equal(ir_add(f->b, IR_I32, zero, x), x);
    assert_int_equal(ir_sub(f->b, IR_I32, x, zero), x);
    assert_int_equal(ir_mul(f->b, IR_I32, x, k(f, 1)), x);
    assert_int_equal(ir_and(f->b, IR_I32, x, ones), x);
    assert_int_equal(ir_or(f->b, IR_I32, x, x), x);
    assert_int_equal(ir_shl(f->b, IR_I32, x, k(f, 32)), x);
    assert_int_equal(ir_not(f->b, IR_I32, ir_not(f->b, IR_I32, x)), x);
    assert_int_equal(ir_neg(f->b, IR_I32, ir_sub(f->b, IR_I32, zero, x)), x);
    assert_int_equal(ir_trunc(f->b, IR_I32, ir_zext(f->b, IR_I64, x)), x);
    assert_int_equal(ir_bitcast(f->b, IR_I32, ir_bitcast(f->b, IR_F32, x)), x);
    assert_int_equal(ir_select(f->b, IR_I32, get(f, 1), x, x), x);
    assert_int_equal(ir_select(f->b, IR_I32, k(f, 5), x, zero), x);
    is_const(f, ir_and(f->b, IR_I32, x, zero), 0);
    is_const(f, ir_xor(f->b, IR_I32, x, x), 0);
    is_const(f, ir_sub(f->b, IR_I32, x, x), 0);
    is_const(f, ir_cmp(f->b, IR_ULT, IR_I32, x, zero), 0);
    is_const(f, ir_cmp(f->b, IR_SGE, IR_I32, x, x), 1);
}

static void chains_shorten(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0);
    ir_val sum = ir_sub(f->b, IR_I32, ir_add(f->b, IR_I32, k(f, 12), x), k(f, 4));
    is_record(f, sum, IR_add, x, k(f, 8), 0);
    is_record(f, ir_shr(f->b, IR_I32, ir_shr(f->b, IR_I32, x, k(f, 3)), k(f, 4)), IR_shr, x,
              k(f, 7), 0);
    is_const(f, ir_shl(f->b, IR_I32, ir_shl(f->b, IR_I32, x, k(f, 20)), k(f, 20)), 0);
    ir_val inner = ir_ubfx(f->b, IR_I32, x, 4, 12);
    is_record(f, ir_ubfx(f->b, IR_I32, inner, 8, 20), IR_ubfx, x, 0, 12 | 4 << 8);
    is_record(f, ir_mul(f->b, IR_I32, x, k(f, 8)), IR_shl, x, k(f, 3), 0);
    /* A byte load leaves nothing for an extension to do. */
    ir_val byte = ir_ld(f->b, IR_I32, x, 0);
    assert_int_equal(ir_ubfx(f->b, IR_I32, byte, 0, 8), byte);
    assert_int_equal(ir_and(f->b, IR_I32, byte, k(f, 0xff)), byte);
    /* The negation of a comparison is a comparison. */
    ir_val less = ir_cmp(f->b, IR_ULT, IR_I32, x, get(f, 1));
    is_record(f, ir_cmp(f->b, IR_EQ, IR_I32, less, k(f, 0)), IR_cmp, x, get(f, 1), IR_UGE);
    is_record(f, ir_cmp(f->b, IR_UGT, IR_I32, k(f, 9), x), IR_cmp, x, k(f, 9), IR_ULT);
    /* Not folded, since DAZ decides, but shared and inverted. */
    ir_val p = ir_bitcast(f->b, IR_F32, k(f, 1)), q = ir_bitcast(f->b, IR_F32, k(f, 0));
    ir_val equal = ir_fcc(f->b, IR_FCC_E, IR_F32, p, q);
    is_record(f, equal, IR_fcc, p, q, IR_FCC_E);
    assert_int_equal(ir_fcc(f->b, IR_FCC_E, IR_F32, p, q), equal);
    is_record(f, ir_xor(f->b, IR_I32, equal, k(f, 1)), IR_fcc, p, q, IR_FCC_NE);
}

static void equal_records_are_shared(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), y = get(f, 1);
    assert_int_equal(ir_mul(f->b, IR_I32, x, y), ir_mul(f->b, IR_I32, x, y));
    assert_int_not_equal(ir_mul(f->b, IR_I32, x, y), ir_mulhu(f->b, IR_I32, x, y));
    /* Loads are not pure. */
    assert_int_not_equal(ir_ld(f->b, IR_I32, x, 2), ir_ld(f->b, IR_I32, x, 2));
}

static void state_is_forwarded(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), sum = ir_add(f->b, IR_I32, x, k(f, 1));
    assert_int_equal(get(f, 0), x);
    ir_put(f->b, IR_I32, 4, sum);
    assert_int_equal(get(f, 1), sum);
    is_record(f, ir_get(f->b, IR_F32, 4), IR_bitcast, sum, 0, 0);
    unsigned puts = count(f, IR_put);
    ir_put(f->b, IR_I32, 4, sum);
    assert_int_equal(count(f, IR_put), puts);
    /* A byte of the word changes: the word is not known any more, its neighbour is. */
    ir_put(f->b, IR_I8, 5, x);
    is_record(f, get(f, 1), IR_get, 4, 0, 0);
    assert_int_equal(get(f, 0), x);
    /* A put byte is forwarded with its upper bits cut off. */
    ir_put(f->b, IR_I8, 8, sum);
    is_record(f, ir_get(f->b, IR_I8, 8), IR_ubfx, sum, 0, 8 << 8);
}

static uint64_t nothing(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)vcpu, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

static void calls_that_write_forget(void **state)
{
    static const struct ir_helper reads = {"reads", nothing, IR_H_READS, IR_VOID, 0};
    static const struct ir_helper writes = {"writes", nothing, IR_H_WRITES, IR_VOID, 0};
    struct fix *f = *state;
    ir_val x = get(f, 0);
    ir_call(f->b, &reads, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    assert_int_equal(get(f, 0), x);
    ir_call(f->b, &writes, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    assert_int_not_equal(get(f, 0), x);
}

static void labels_forget_what_changed(void **state)
{
    struct fix *f = *state;
    ir_val r0 = get(f, 0), r1 = get(f, 1), before = ir_mul(f->b, IR_I32, r0, r1);
    uint32_t label = ir_label_new(f->b);
    ir_skip_if(f->b, r0, label);
    assert_int_equal(get(f, 0), r0); /* known before, valid inside */
    ir_val r2 = get(f, 2), inside = ir_mulhu(f->b, IR_I32, r0, r2);
    ir_put(f->b, IR_I32, 4, inside);
    ir_label(f->b, label);
    assert_int_equal(get(f, 0), r0);
    assert_int_not_equal(get(f, 1), r1);
    assert_int_not_equal(get(f, 1), inside);
    assert_int_not_equal(get(f, 2), r2);
    assert_int_equal(ir_mul(f->b, IR_I32, r0, r1), before);
    assert_int_not_equal(ir_mulhu(f->b, IR_I32, r0, r1), inside);
    finish(f);
}

/* The skipped part leaves the region: at the label the state is that of the skip. */
static void left_parts_change_nothing(void **state)
{
    struct fix *f = *state;
    ir_val r0 = get(f, 0), r1 = get(f, 1);
    uint32_t label = ir_label_new(f->b);
    ir_skip_if(f->b, r0, label);
    ir_put(f->b, IR_I32, 4, ir_add(f->b, IR_I32, r1, k(f, 1)));
    ir_exit_ind(f->b, r1, r0);
    assert_true(ir_ended(f->b));
    ir_label(f->b, label);
    assert_false(ir_ended(f->b));
    assert_int_equal(get(f, 1), r1);
    finish(f);
}

/* Reached from two skips with a put between them, and not from above: the slot has two values. */
static void two_skips_forget_between(void **state)
{
    struct fix *f = *state;
    ir_val r0 = get(f, 0), r1 = get(f, 1);
    uint32_t label = ir_label_new(f->b);
    ir_skip_if(f->b, r0, label);
    ir_put(f->b, IR_I32, 4, r0);
    ir_skip_if(f->b, r1, label);
    ir_exit(f->b, 0x100, 0);
    ir_label(f->b, label);
    assert_int_equal(get(f, 0), r0);
    assert_int_not_equal(get(f, 1), r0);
    assert_int_not_equal(get(f, 1), r1);
    finish(f);
}

static void constant_skips_resolve(void **state)
{
    struct fix *f = *state;
    ir_val r0 = get(f, 0), kept = ir_add(f->b, IR_I32, r0, k(f, 7));
    uint32_t over = ir_label_new(f->b), into = ir_label_new(f->b);
    ir_skip_if(f->b, k(f, 1), over);
    ir_put(f->b, IR_I32, 0, kept);
    ir_exit(f->b, 0x100, 0);
    ir_label(f->b, over);
    ir_skip_ifnot(f->b, k(f, 1), into);
    ir_put(f->b, IR_I32, 4, kept);
    ir_label(f->b, into);
    assert_int_equal(get(f, 0), r0);
    assert_int_equal(get(f, 1), kept);
    finish(f);
    assert_int_equal(count(f, IR_skip_if) + count(f, IR_skip_ifnot) + count(f, IR_label), 0);
    assert_int_equal(count(f, IR_put), 1);
    assert_int_equal(f->r.exits.len, 1);
}

/* A constant skip over the label of another skip cannot vanish. */
static void crossing_constant_skip_stays(void **state)
{
    struct fix *f = *state;
    uint32_t outer = ir_label_new(f->b), inner = ir_label_new(f->b);
    ir_skip_if(f->b, get(f, 0), inner);
    ir_skip_if(f->b, k(f, 1), outer);
    ir_label(f->b, inner);
    ir_put(f->b, IR_I32, 4, k(f, 9));
    ir_label(f->b, outer);
    assert_int_equal(f->r.insns.at[get(f, 1)].op, IR_get);
    finish(f);
    assert_int_equal(count(f, IR_skip_if), 2);
    assert_int_equal(count(f, IR_label), 2);
}

static void tests_become_comparisons(void **state)
{
    static const uint8_t cc[14] = {IR_EQ, IR_NE,  IR_UGE, IR_ULT, 0,      0,      0,
                                   0,     IR_UGT, IR_ULE, IR_SGE, IR_SLT, IR_SGT, IR_SLE};
    struct fix *f = *state;
    ir_val x = get(f, 0), y = get(f, 1), diff = ir_sub(f->b, IR_I32, x, y);
    ir_val flags = ir_nzcv_sub(f->b, IR_I32, x, y, IR_NONE, diff);
    for (unsigned cond = 0; cond < 14; cond++)
        if (cond < 4 || cond > 7)
            is_record(f, ir_nzcv_test(f->b, cond, flags), IR_cmp, x, y, cc[cond]);
    is_record(f, ir_nzcv_test(f->b, 4, flags), IR_cmp, diff, k(f, 0), IR_SLT);
    is_record(f, ir_nzcv_test(f->b, 5, flags), IR_cmp, diff, k(f, 0), IR_SGE);
    is_record(f, ir_nzcv_test(f->b, 6, flags), IR_nzcv_test, flags, 0, 6);

    ir_val sum = ir_add(f->b, IR_I32, x, y), added = ir_nzcv_add(f->b, IR_I32, x, y, IR_NONE, sum);
    is_record(f, ir_nzcv_test(f->b, 0, added), IR_cmp, sum, k(f, 0), IR_EQ);
    is_record(f, ir_nzcv_test(f->b, 2, added), IR_cmp, sum, x, IR_ULT);
    is_record(f, ir_nzcv_test(f->b, 8, added), IR_nzcv_test, added, 0, 8);
}

/* With a carry only the sum tells, and only about N and Z. */
static void tests_with_carry(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), y = get(f, 1), carry = ir_cmp(f->b, IR_ULT, IR_I32, x, y);
    ir_val sum = ir_add(f->b, IR_I32, ir_add(f->b, IR_I32, x, y), carry);
    ir_val flags = ir_nzcv_add(f->b, IR_I32, x, y, carry, sum);
    is_record(f, ir_nzcv_test(f->b, 1, flags), IR_cmp, sum, k(f, 0), IR_NE);
    is_record(f, ir_nzcv_test(f->b, 2, flags), IR_nzcv_test, flags, 0, 2);
    ir_val borrow = ir_nzcv_sub(f->b, IR_I32, x, y, carry, IR_NONE);
    is_record(f, ir_nzcv_test(f->b, 0, borrow), IR_nzcv_test, borrow, 0, 0);
    is_record(f, ir_nzcv_test(f->b, 3, borrow), IR_nzcv_test, borrow, 0, 3);
}

static void tests_of_logic_and_choices(void **state)
{
    struct fix *f = *state;
    ir_val x = get(f, 0), y = get(f, 1), old = get(f, 2), carry = ir_ubfx(f->b, IR_I32, y, 31, 1);
    ir_val flags = ir_nzcv_logic(f->b, IR_I32, x, carry, old);
    is_record(f, ir_nzcv_test(f->b, 0, flags), IR_cmp, x, k(f, 0), IR_EQ);
    assert_int_equal(ir_nzcv_test(f->b, 2, flags), carry);
    is_record(f, ir_nzcv_test(f->b, 6, flags), IR_nzcv_test, old, 0, 6);
    is_record(f, ir_nzcv_test(f->b, 8, flags), IR_nzcv_test, flags, 0, 8);
    /* V is known to be clear: signed conditions compare with 0. */
    ir_val clear = ir_nzcv_logic(f->b, IR_I32, x, IR_NONE, k(f, 2));
    is_record(f, ir_nzcv_test(f->b, 12, clear), IR_cmp, x, k(f, 0), IR_SGT);
    is_const(f, ir_nzcv_test(f->b, 2, clear), 1);
    /* A conditional compare: the test chooses between two comparisons. */
    ir_val cond = ir_cmp(f->b, IR_EQ, IR_I32, x, y);
    ir_val other = ir_nzcv_sub(f->b, IR_I32, y, old, IR_NONE, IR_NONE);
    ir_val choice = ir_select(f->b, IR_I32, cond, other, flags),
           test = ir_nzcv_test(f->b, 0, choice);
    is_record(f, test, IR_select, cond, ir_cmp(f->b, IR_EQ, IR_I32, y, old), 0);
}

/* A vector load of what was stored in parts is put together from them. */
static void vectors_are_joined(void **state)
{
    struct fix *f = *state;
    ir_val x = ir_fadd(f->b, IR_F64, ir_get(f->b, IR_F64, 64), ir_get(f->b, IR_F64, 80));
    ir_put(f->b, IR_F64, 64, x);
    ir_val v = ir_get(f->b, IR_V128, 64);
    is_record(f, v, IR_v2, x, ir_get(f->b, IR_F64, 72), VEC_pair64);
    assert_int_equal(ir_get(f->b, IR_V128, 64), v);
    ir_put(f->b, IR_V128, 96, v);
    assert_int_equal(ir_get(f->b, IR_F64, 96), x);
    ir_val s = ir_fadd(f->b, IR_F32, ir_get(f->b, IR_F32, 128), ir_get(f->b, IR_F32, 144));
    ir_put(f->b, IR_F32, 128, s);
    v = ir_get(f->b, IR_V128, 128);
    ir_val low = f->r.insns.at[v].a;
    is_record(f, low, IR_v2, s, ir_get(f->b, IR_F32, 132), VEC_pair32);
    ir_put(f->b, IR_V128, 160, v);
    assert_int_equal(ir_get(f->b, IR_F32, 160), s);
    /* Of several changes of element 0 the last one counts. */
    ir_val w = ir_get(f->b, IR_V128, 224), n = ir_get(f->b, IR_F64, 64);
    v = ir_v2(f->b, IR_V128, VEC_with_f64, w, x);
    is_record(f, ir_v2(f->b, IR_V128, VEC_with_f64, v, n), IR_v2, w, n, VEC_with_f64);
    assert_int_equal(ir_v2(f->b, IR_V128, VEC_with_f64, v, x), v);
    assert_int_equal(ir_v2(f->b, IR_V128, VEC_with_f64, w, ir_v1(f->b, IR_V128, VEC_to_f64, w)), w);
    v = ir_v1(f->b, IR_V128, VEC_from_f64, x);
    is_record(f, ir_v2(f->b, IR_V128, VEC_with_f64, v, n), IR_v1, n, 0, VEC_from_f64);
    /* Only read in parts: one load. */
    ir_get(f->b, IR_F64, 192);
    assert_int_equal(f->r.insns.at[ir_get(f->b, IR_V128, 192)].op, IR_get);
    finish(f);
}

static void exits_know_back_edges(void **state)
{
    struct fix *f = *state;
    ir_insn_start(f->b, 0x100, 0);
    ir_exit_if(f->b, k(f, 0), 0x80, 0);
    ir_exit_if(f->b, get(f, 0), 0x100, 0);
    ir_exit_if(f->b, get(f, 0), 0x104, 3);
    ir_exit_if(f->b, k(f, 1), 0x80, 0);
    assert_true(ir_ended(f->b));
    finish(f);
    assert_int_equal(f->r.exits.len, 3);
    assert_true(f->r.exits.at[0].back_edge);
    assert_false(f->r.exits.at[1].back_edge);
    assert_int_equal(f->r.exits.at[1].mode, 3);
    assert_int_equal(f->r.insns.at[f->r.insns.len - 1].op, IR_exit);
    assert_int_equal(f->r.ninsns, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(constants_fold),
        TEST(flags_of_constants_fold),
        TEST(identities),
        TEST(chains_shorten),
        TEST(equal_records_are_shared),
        TEST(state_is_forwarded),
        TEST(calls_that_write_forget),
        TEST(labels_forget_what_changed),
        TEST(left_parts_change_nothing),
        TEST(two_skips_forget_between),
        TEST(constant_skips_resolve),
        TEST(crossing_constant_skip_stays),
        TEST(vectors_are_joined),
        TEST(tests_become_comparisons),
        TEST(tests_with_carry),
        TEST(tests_of_logic_and_choices),
        TEST(exits_know_back_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
