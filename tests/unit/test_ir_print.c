/* The printed form, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fp/soft.h"
#include "ir/build.h"
#include "ir/pass.h"
#include "ir/print.h"

static const char *slot(uint32_t offset, unsigned size)
{
    static const char *const names[] = {"r0", "r1", "r2"};
    return size == 4 && offset % 4 == 0 && offset / 4 < 3 ? names[offset / 4] : NULL;
}

static uint64_t nothing(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)vcpu, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

static void build(struct ir_builder *b, struct ir_region *r)
{
    static const struct ir_helper helper = {"helper", nothing, IR_H_READS, IR_I64, 2};
    ir_begin(b, r);
    ir_insn_start(b, 0x8000, 0);
    ir_val x = ir_get(b, IR_I32, 0), y = ir_get(b, IR_I32, 4);
    ir_put(b, IR_I32, 8, ir_add(b, IR_I32, x, y));
    ir_val wide =
        ir_ld(b, IR_I32, x, 1 | IR_MEM_SIGNED | IR_MEM_BE | IR_MEM_ALIGN(1) | IR_MEM_MMU(1));
    ir_insn_start(b, 0x8004, 0x1c);
    ir_put(b, IR_I32, 8, ir_sbfx(b, IR_I32, wide, 3, 5));
    ir_val less = ir_cmp(b, IR_SLT, IR_I32, x, ir_const32(b, 0x1234));
    uint32_t label = ir_label_new(b);
    ir_skip_ifnot(b, less, label);
    ir_st(b, IR_I32, y, x, 2);
    ir_label(b, label);
    ir_val flags = ir_nzcv_add(b, IR_I32, x, y, IR_NONE, IR_NONE);
    ir_put(b, IR_I32, 64, flags);
    ir_exit_if(b, ir_nzcv_test(b, 8, flags), 0x7000, 1);
    ir_val high = ir_call(b, &helper, x, less, IR_NONE, IR_NONE);
    ir_put(b, IR_I64, 72, high);
    ir_put(b, IR_I32, 80, ir_op1(b, IR_f2si, IR_I32, ir_get(b, IR_F64, 88), FP_RZ));
    ir_exit_exc(b, 3, 7, 4);
    ir_end(b);
}

static void build_float(struct ir_builder *b, struct ir_region *r)
{
    ir_begin(b, r);
    ir_insn_start(b, 0x8000, 0);
    ir_val x = ir_get(b, IR_F64, 16), y = ir_get(b, IR_F64, 24);
    ir_put(b, IR_F64, 32, ir_fma(b, IR_F64, x, y, y, FP_NEG_PRODUCT | FP_NEG_ADDEND));
    ir_put(b, IR_F64, 40, ir_fround(b, IR_F64, x, FP_CURRENT, true));
    ir_put(b, IR_F64, 48, ir_fcmpm(b, IR_F64, x, y, 17));
    ir_put(b, IR_I32, 0, ir_fcmpx(b, IR_F64, x, y, true));
    ir_exit_if(b, ir_fcc(b, IR_FCC_AE, IR_F64, x, y), 0x9000, 0);
    ir_put(b, IR_F64, 56, ir_op2(b, IR_fminx, IR_F64, x, y, IR_FP_SOFT));
    ir_exit(b, 0x8004, 0);
    ir_end(b);
}

static void check_text(void (*make)(struct ir_builder *, struct ir_region *), const char *want)
{
    const struct ir_names names = {slot};
    struct ir_builder *b = ir_builder_new();
    struct ir_region r;
    char *text = NULL;
    size_t size = 0;
    ir_region_init(&r);
    make(b, &r);
    assert_int_equal(ir_run_passes(&r), NW_OK);
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    ir_print(f, &r, &names);
    fclose(f);
    assert_string_equal(text, want);
    free(text);
    ir_region_free(&r);
    ir_builder_free(b);
}

static void golden_float(void **state)
{
    static const char want[] = "insn 0x8000\n"
                               "  v1 = get.f64 [16]\n"
                               "  v2 = get.f64 [24]\n"
                               "  v3 = fma.f64 v1, v2, v2 -product -addend\n"
                               "  put.f64 [32], v3\n"
                               "  v5 = fround.f64 v1 current quiet\n"
                               "  put.f64 [40], v5\n"
                               "  v7 = fcmpm.f64 v1, v2, 17\n"
                               "  put.f64 [48], v7\n"
                               "  v9 = fcmpx.f64 v1, v2 signaling\n"
                               "  put.i32 r0, v9\n"
                               "  v11 = fcc.ae.f64 v1, v2\n"
                               "  exit_if v11, 0x9000 mode 0x0\n"
                               "  v13 = fminx.f64 v1, v2 soft\n"
                               "  put.f64 [56], v13\n"
                               "  exit 0x8004 mode 0x0\n";
    (void)state;
    check_text(build_float, want);
}

static void golden(void **state)
{
    static const char want[] = "insn 0x8000\n"
                               "  v1 = get.i32 r0\n"
                               "  v2 = get.i32 r1\n"
                               "  v3 = add.i32 v1, v2  ; cold\n"
                               "  put.i32 r2, v3  ; cold\n"
                               "  v5 = ld.i32 v1 s16 be align2 mmu1\n"
                               "insn 0x8004 aux 0x1c\n"
                               "  v7 = sbfx.i32 v5, 3, 5\n"
                               "  put.i32 r2, v7\n"
                               "  v9 = const.i32 0x1234\n"
                               "  v10 = cmp.slt.i32 v1, v9\n"
                               "  skip_ifnot v10, L0\n"
                               "  st.i32 v2, v1 u32\n"
                               "  label L0\n"
                               "  v14 = nzcv_add.i32 v1, v2, none\n"
                               "  put.i32 [64], v14\n"
                               "  v16 = nzcv_test.hi v14\n"
                               "  exit_if v16, 0x7000 mode 0x1 back\n"
                               "  v18 = call.i64 helper(v1, v10)\n"
                               "  put.i64 [72], v18\n"
                               "  v20 = get.f64 [88]\n"
                               "  v21 = f2si.i32 v20 zero\n"
                               "  put.i32 [80], v21\n"
                               "  exit_exc 3, 7 pc+4\n";
    (void)state;
    check_text(build, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden), cmocka_unit_test(golden_float)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
