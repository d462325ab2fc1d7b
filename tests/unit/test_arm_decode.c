/* The ARM decoder against its own rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "guest/arm/decode.h"
#include "guest/arm/state.h"

static uint32_t width_mask(const struct arm_row *row)
{
    return row->set == ARM_SET_T16 ? 0xffff : 0xffffffff;
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Every row is reachable: some word with its fixed bits decodes to it. */
static void every_row_is_reached(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned n = 0; n < arm_nrows; n++) {
        const struct arm_row *row = &arm_rows[n];
        bool reached = false;
        for (unsigned k = 0; k < 2000 && !reached; k++) {
            uint32_t raw = next_random(&seed) & width_mask(row) & ~(row->mask | row->should_mask);
            struct arm_insn i;
            raw |= row->value | row->should_value;
            if (row->set == ARM_SET_A32 && row->mask >> 28 != 15 && raw >> 28 == 15)
                raw ^= 0x10000000;
            reached = arm_decode(row->set, raw, row->features, &i) && i.row == row;
            assert_false(reached && i.should_be);
        }
        if (!reached)
            fail_msg("row %u (%s %s) is shadowed", n, row->name, row->pattern);
    }
}

/* What decodes matches its row and the CPU, whatever the bits. */
static void any_word_decodes_soundly(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (unsigned k = 0; k < 300000; k++) {
        enum arm_set set = k % 3;
        uint32_t raw = next_random(&seed), features = next_random(&seed);
        struct arm_insn i;
        if (set == ARM_SET_T16)
            raw &= 0xffff;
        if (!arm_decode(set, raw, features, &i)) {
            assert_null(i.row);
            continue;
        }
        assert_int_equal(i.row->set, set);
        assert_int_equal(raw & i.row->mask, i.row->value);
        assert_int_equal(features & i.row->features, i.row->features);
        assert_int_equal(i.should_be, ((raw ^ i.row->should_value) & i.row->should_mask) != 0);
        assert_int_equal(i.size, set == ARM_SET_T16 ? 2 : 4);
        assert_true(i.d < 32 && i.n < 32 && i.m < 32 && i.t < 32 && i.s < 16 && i.a < 16);
    }
}

static struct arm_insn decode(enum arm_set set, uint32_t raw)
{
    struct arm_insn i;
    assert_true(arm_decode(set, raw, UINT32_MAX, &i));
    return i;
}

static void fields_are_extracted(void **state)
{
    (void)state;
    struct arm_insn i = decode(ARM_SET_A32, 0xe2812cff); /* add r2, r1, #0xff00 */
    assert_string_equal(i.row->name, "add_imm");
    assert_int_equal(i.d, 2);
    assert_int_equal(i.n, 1);
    assert_int_equal(i.imm, 0xff00);
    assert_int_equal(i.imm_carry, 0);
    i = decode(ARM_SET_A32, 0xe3b004f0); /* movs r0, #0xf0000000 */
    assert_int_equal(i.imm, 0xf0000000);
    assert_int_equal(i.imm_carry, 1);
    i = decode(ARM_SET_A32, 0xe1a00061); /* rrx r0, r1 */
    assert_int_equal(i.shift_type, ARM_RRX);
    i = decode(ARM_SET_A32, 0xe1a00021); /* lsr r0, r1, #32 */
    assert_int_equal(i.shift_n, 32);
    i = decode(ARM_SET_A32, 0xeafffffe); /* b . */
    assert_int_equal(i.imm, (uint32_t)-8);
    i = decode(ARM_SET_T32, 0xf7fffffe); /* bl . */
    assert_string_equal(i.row->name, "bl");
    assert_int_equal(i.imm, (uint32_t)-4);
    i = decode(ARM_SET_T16, 0x44d9); /* add r9, r11 */
    assert_int_equal(i.d, 9);
    assert_int_equal(i.m, 11);
}

static void features_gate_rows(void **state)
{
    (void)state;
    struct arm_insn i;
    assert_false(arm_decode(ARM_SET_A32, 0xe710f211, ARM_F_V7, &i)); /* sdiv */
    assert_false(arm_decode(ARM_SET_A32, 0xe12fff33, 0, &i));        /* blx r3 before v5 */
    assert_true(arm_decode(ARM_SET_A32, 0xe12fff13, 0, &i));         /* bx r3 */
}

/* Rows of one mnemonic, and only they, share a number. */
static void mnemonics_have_numbers(void **state)
{
    (void)state;
    for (unsigned a = 0; a < arm_nrows; a++) {
        for (unsigned b = 0; b < a; b++) {
            size_t n = strcspn(arm_rows[a].name, "_"), m = strcspn(arm_rows[b].name, "_");
            bool same = n == m && !memcmp(arm_rows[a].name, arm_rows[b].name, n);

            assert_int_equal(arm_insn_id(&arm_rows[a]) == arm_insn_id(&arm_rows[b]), same);
        }
    }
    assert_int_equal(arm_insn_id(NULL), 0);
    assert_true(arm_insn_named("svc") != 0);
    assert_true(arm_insn_named("ldr") != arm_insn_named("ldrb"));
    assert_int_equal(arm_insn_named(""), 0);
    assert_int_equal(arm_insn_named("sv"), 0);
    assert_int_equal(arm_insn_named("fly"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_reached),
        cmocka_unit_test(any_word_decodes_soundly),
        cmocka_unit_test(fields_are_extracted),
        cmocka_unit_test(features_gate_rows),
        cmocka_unit_test(mnemonics_have_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
