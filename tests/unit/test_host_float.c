/* Scalar floating point of an x86 guest in host code: each operation is one instruction beside
 * moves (and what a comparison's result needs), and gives what fp/soft.h gives for corner operands
 * in every mode of MXCSR. test_fp_x86.c compares fp/soft.h with the host's instructions. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include <capstone/capstone.h>

#include "host/host.h"
#include "ir_fix.h"
#include "ir_stub.h"

#define BUFFER (1u << 16)
/* Slots. */
enum { A = 0, B = 8, C = 16, RESULT = 24, OTHER = 32 };

static const struct guest_ops guest = {
    .pc_offset = STUB_PC, .aux_offset = UINT32_MAX, .addr_type = IR_I32, .fp_rules = FP_RULES_X86};

struct bench {
    struct fix fix;
    struct host_buffer buf;
    struct host_runtime rt;
    struct host_emitter *emitter;
    struct host_code out;
    struct host_exit exits[2];
    struct stub *have, *want;
    char text[1024]; /* the hot part, instructions parted by " | " */
};

static int open_bench(void **state)
{
    struct bench *t = calloc(1, sizeof *t);
    t->fix.b = ir_builder_new();
    ir_region_init(&t->fix.r);
    t->buf.size = BUFFER;
    t->buf.rw =
        mmap(NULL, BUFFER, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(t->buf.rw != MAP_FAILED);
    t->buf.rx = t->buf.rw;
    t->emitter = host_emitter_new();
    t->have = stub_new();
    t->want = stub_new();
    assert_int_equal(host_emit_runtime(t->buf, &guest, &t->rt), NW_OK);
    *state = t;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *t = *state;
    host_emitter_free(t->emitter);
    ir_region_free(&t->fix.r);
    ir_builder_free(t->fix.b);
    VEC_FREE(&t->out.sites);
    VEC_FREE(&t->out.insn_offsets);
    munmap(t->buf.rw, BUFFER);
    free(t->have);
    free(t->want);
    free(t);
    return 0;
}

static struct ir_builder *begin(struct bench *t)
{
    ir_begin(t->fix.b, &t->fix.r);
    t->fix.r.pc_offset = STUB_PC;
    t->fix.r.aux_offset = UINT32_MAX;
    t->fix.r.addr_type = IR_I32;
    ir_insn_start(t->fix.b, 0x1000, 0);
    return t->fix.b;
}

/* The block's instructions up to the first jump to elsewhere. */
static void disassemble(struct bench *t)
{
    csh cs;
    cs_insn *insns;
    assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &cs), CS_ERR_OK);
    size_t n = cs_disasm(cs, t->buf.rw + t->rt.size, t->out.size, 0, 0, &insns);
    size_t used = 0;
    t->text[0] = 0;
    for (size_t k = 0; k < n && strcmp(insns[k].mnemonic, "jmp") != 0; k++)
        if (used < sizeof t->text && strcmp(insns[k].mnemonic, "nop") != 0)
            used += (size_t)snprintf(t->text + used, sizeof t->text - used, "%s%s", k ? " " : "",
                                     insns[k].mnemonic);
    cs_free(insns, n);
    cs_close(&cs);
}

static void emit(struct bench *t)
{
    struct host_options opt = {.chain = true};
    char why[200] = "";
    ir_end(t->fix.b);
    if (!ir_verify(&t->fix.r, why, sizeof why))
        fail_msg("%s", why);
    assert_int_equal(ir_pass_dead(&t->fix.r), NW_OK);
    struct host_buffer part = {t->buf.rw + t->rt.size, t->buf.rx + t->rt.size, BUFFER - t->rt.size};
    t->out.exits = t->exits;
    assert_int_equal(
        host_emit(t->emitter, &guest, &t->fix.r, &opt, &t->rt, t->rt.size, part, &t->out), NW_OK);
    disassemble(t);
}

static void put64(struct stub *s, uint32_t offset, uint64_t v)
{
    memcpy(s->vcpu.state + offset, &v, 8);
}

/* Runs the block and the interpreter on the same operands and compares everything. */
static void compare(struct bench *t, const uint64_t *v, uint32_t mxcsr, const char *what)
{
    struct stub *both[] = {t->have, t->want};
    host_enter_fn enter;
    const void *at = t->buf.rx + t->rt.enter;
    memcpy(&enter, &at, sizeof enter);
    for (unsigned n = 0; n < 2; n++) {
        memset(both[n]->vcpu.state, 0x55, 64);
        for (unsigned k = 0; k < 3; k++)
            put64(both[n], 8 * k, v[k]);
        fp_env_set_mxcsr(&both[n]->vcpu.fp, mxcsr | 0x1f80);
    }
    stub_run(t->want, &t->fix.r);
    t->have->vcpu.leave = VCPU_LEAVE_NONE;
    vcpu_fp_changed(&t->have->vcpu);
    enter(&t->have->vcpu, t->buf.rx + t->rt.size);
    if (memcmp(t->have->vcpu.state, t->want->vcpu.state, 64) != 0 ||
        t->have->vcpu.fp.flags != t->want->vcpu.fp.flags ||
        stub_word(t->have, STUB_PC) != stub_word(t->want, STUB_PC))
        fail_msg("%s of %" PRIx64 " %" PRIx64 " %" PRIx64 " under %x: %08x%08x flags %x, not "
                 "%08x%08x flags %x (%s)",
                 what, v[0], v[1], v[2], mxcsr, stub_word(t->have, RESULT + 4),
                 stub_word(t->have, RESULT), t->have->vcpu.fp.flags, stub_word(t->want, RESULT + 4),
                 stub_word(t->want, RESULT), t->want->vcpu.fp.flags, t->text);
}

static const uint32_t corners32[] = {0,          0x80000000, 1,          0x80000003, 0x007fffff,
                                     0x00800000, 0x3f800000, 0xbfc00000, 0x40490fdb, 0x4effffff,
                                     0xcf000000, 0x5f000000, 0x7f7fffff, 0x7f800000, 0xff800000,
                                     0x7fc00005, 0xff800007};
static const uint64_t corners64[] = {0,
                                     1ull << 63,
                                     1,
                                     0x8000000000000003,
                                     0x000fffffffffffff,
                                     0x0010000000000000,
                                     0x3ff0000000000000,
                                     0xbff8000000000000,
                                     0x400921fb54442d18,
                                     0x41dfffffffe00000,
                                     0xc1e0000000000000,
                                     0x43e0000000000000,
                                     0x36a0000000000001,
                                     0x7fefffffffffffff,
                                     0x7ff0000000000000,
                                     0x7ff8000000000005,
                                     0xfff0000000000007};
#define CORNERS ARRAY_LEN(corners32)
_Static_assert(ARRAY_LEN(corners64) == CORNERS, "the same number of both");

static uint64_t corner(uint8_t type, unsigned n)
{
    switch (type) {
    case IR_F32: return corners32[n];
    case IR_F64: return corners64[n];
    case IR_I32: return (uint32_t)(corners64[n] >> 20);
    default: return corners64[n] ^ corners32[n];
    }
}

static void compare_all(struct bench *t, uint8_t type, unsigned nargs, const char *what)
{
    unsigned total = 1;
    for (unsigned n = 0; n < nargs; n++)
        total *= CORNERS;
    for (unsigned n = 0; n < total; n++) {
        const uint64_t v[3] = {corner(type, n % CORNERS), corner(type, n / CORNERS % CORNERS),
                               corner(type, n / CORNERS / CORNERS)};
        for (uint32_t mode = 0; mode < 16; mode++)
            compare(t, v, (mode & 3) << 13 | (mode & 4) << 4 | (mode & 8) << 12, what);
    }
}

/* One operation on operands of FROM, giving TYPE: as code, and against the interpreter. */
static void one(struct bench *t, enum ir_op op, enum ir_type type, enum ir_type from, unsigned aux,
                const char *code)
{
    const char *shape = ir_rows[op].operands;
    unsigned nargs = shape[2] == 'v' ? 3 : shape[1] == 'v' ? 2 : 1;
    struct ir_builder *b = begin(t);
    ir_val x = ir_get(b, from, A), y = nargs > 1 ? ir_get(b, from, B) : 0,
           z = nargs > 2 ? ir_get(b, from, C) : 0;
    if (op == IR_fcc)
        ir_fcmpx(b, from, x, y, false); /* whose exceptions it may raise again */
    ir_val v = nargs == 3   ? ir_op3(b, op, type, x, y, z, (uint16_t)aux)
               : nargs == 2 ? ir_op2(b, op, type, x, y, (uint16_t)aux)
                            : ir_op1(b, op, type, x, (uint16_t)aux);
    ir_put(b, ir_result_type(&t->fix.r.insns.at[v]), RESULT, v);
    ir_exit(b, 0x2000, 0);
    emit(t);
    if (code)
        assert_string_equal(t->text, code);
    compare_all(t, (uint8_t)from, nargs, ir_rows[op].name);
    if (code && ir_rows[op].effects == IR_E_FPFLAGS)
        one(t, op, type, from, aux | IR_FP_SOFT, NULL);
}

/* OP on both types; CODE32's instruction NAMEss. */
static void both(struct bench *t, enum ir_op op, unsigned aux, const char *name)
{
    const char *shape = ir_rows[op].operands;
    for (unsigned wide = 0; wide < 2; wide++) {
        char code[128], move[8];
        snprintf(move, sizeof move, "vmovs%c", "sd"[wide]);
        /* The second operand comes from its slot. */
        snprintf(code, sizeof code, "%s %s%s%ss%c %s", move, shape[2] == 'v' ? move : "",
                 shape[2] == 'v' ? " " : "", name, "sd"[wide], move);
        enum ir_type type = wide ? IR_F64 : IR_F32;
        one(t, op, type, type, aux, code);
    }
}

static void arithmetic(void **state)
{
    struct bench *t = *state;
    both(t, IR_fadd, 0, "vadd");
    both(t, IR_fsub, 0, "vsub");
    both(t, IR_fmul, 0, "vmul");
    both(t, IR_fdiv, 0, "vdiv");
    both(t, IR_fsqrt, 0, "vsqrt");
    both(t, IR_fminx, 0, "vmin");
    both(t, IR_fmaxx, 0, "vmax");
    both(t, IR_fma, 0, "vfmadd231");
    both(t, IR_fma, FP_NEG_ADDEND, "vfmsub231");
    both(t, IR_fma, FP_NEG_PRODUCT, "vfnmadd231");
    both(t, IR_fma, FP_NEG_PRODUCT | FP_NEG_ADDEND, "vfnmsub231");
    one(t, IR_frcpx, IR_F32, IR_F32, 0, "vmovss vrcpss vmovss");
    one(t, IR_frsqrtx, IR_F32, IR_F32, 0, "vmovss vrsqrtss vmovss");
}

static void conversions(void **state)
{
    static const uint8_t rounds[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_CURRENT};
    struct bench *t = *state;
    one(t, IR_fcvt, IR_F64, IR_F32, 0, "vmovss vcvtss2sd vmovsd");
    one(t, IR_fcvt, IR_F32, IR_F64, 0, "vmovsd vcvtsd2ss vmovss");
    for (unsigned n = 0; n < 2; n++) {
        enum ir_type to = n ? IR_I64 : IR_I32;
        one(t, IR_f2si, to, IR_F32, FP_CURRENT, "vmovss vcvtss2si mov");
        one(t, IR_f2si, to, IR_F32, FP_RZ, "vmovss vcvttss2si mov");
        one(t, IR_f2si, to, IR_F64, FP_CURRENT, "vmovsd vcvtsd2si mov");
        one(t, IR_f2si, to, IR_F64, FP_RZ, "vmovsd vcvttsd2si mov");
        one(t, IR_si2f, IR_F32, to, 0, "mov vxorps vcvtsi2ss vmovss");
        one(t, IR_si2f, IR_F64, to, 0, "mov vxorps vcvtsi2sd vmovsd");
        one(t, IR_f2ui, to, IR_F64, FP_RZ, NULL);
        one(t, IR_ui2f, IR_F32, to, 0, NULL);
    }
    for (unsigned n = 0; n < ARRAY_LEN(rounds); n++) {
        both(t, IR_fround, rounds[n], "vround");
        both(t, IR_fround, rounds[n] | IR_FP_QUIET, "vround");
    }
}

static void comparisons(void **state)
{
    struct bench *t = *state;
    one(t, IR_fcmpx, IR_F32, IR_F32, 0, "vmovss vucomiss lahf movzx lea mov");
    one(t, IR_fcmpx, IR_F64, IR_F64, 1, "vmovsd vcomisd lahf movzx lea mov");
    for (unsigned cc = IR_FCC_B; cc <= IR_FCC_NP; cc++)
        if (cc <= IR_FCC_A || cc >= IR_FCC_P)
            for (unsigned wide = 0; wide < 2; wide++)
                one(t, IR_fcc, wide ? IR_F64 : IR_F32, wide ? IR_F64 : IR_F32, cc, NULL);
    for (unsigned predicate = 0; predicate < 32; predicate++)
        for (unsigned wide = 0; wide < 2; wide++)
            one(t, IR_fcmpm, wide ? IR_F64 : IR_F32, wide ? IR_F64 : IR_F32, predicate, NULL);
}

/* comisd, its flags stored, then ja: one comparison and one jump. */
static void jump_on_comparison(void **state)
{
    struct bench *t = *state;
    struct ir_builder *b = begin(t);
    ir_val x = ir_get(b, IR_F64, A), y = ir_get(b, IR_F64, B);
    ir_put(b, IR_I32, RESULT, ir_fcmpx(b, IR_F64, x, y, true));
    ir_put(b, IR_I32, OTHER, ir_const32(b, 7));
    ir_exit_if(b, ir_fcc(b, IR_FCC_A, IR_F64, x, y), 0x3000, 0);
    ir_exit(b, 0x2000, 0);
    emit(t);
    assert_string_equal(t->text, "vmovsd vmovsd vcomisd lahf movzx lea mov mov ja");
    compare_all(t, IR_F64, 2, "ja");

    /* The flags are overwritten before anybody sees them: nothing packs them. */
    b = begin(t);
    x = ir_get(b, IR_F64, A), y = ir_get(b, IR_F64, B);
    ir_put(b, IR_I32, RESULT, ir_fcmpx(b, IR_F64, x, y, false));
    ir_val below = ir_fcc(b, IR_FCC_B, IR_F64, x, y);
    ir_put(b, IR_I32, RESULT,
           ir_select(b, IR_I32, below, ir_get(b, IR_I32, C), ir_get(b, IR_I32, OTHER)));
    ir_exit(b, 0x2000, 0);
    emit(t);
    assert_string_equal(t->text, "vmovsd vmovsd vucomisd mov mov cmovb mov");
    compare_all(t, IR_F64, 2, "cmovb");
}

static uint64_t take(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return vcpu_fp_take(vcpu);
}

/* What one operation raises can be told from what was raised before. */
static void flags_are_taken(void **state)
{
    static const struct ir_helper helper = {"take", take, 0, IR_I32, 0};
    struct bench *t = *state;
    struct ir_builder *b = begin(t);
    ir_val x = ir_get(b, IR_F32, A), y = ir_get(b, IR_F32, B), z = ir_get(b, IR_F32, C);
    ir_put(b, IR_F32, 40, ir_fdiv(b, IR_F32, x, y));
    ir_put(b, IR_I32, RESULT, ir_call(b, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    ir_put(b, IR_F32, 44, ir_fmul(b, IR_F32, x, z));
    ir_put(b, IR_I32, OTHER, ir_call(b, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    ir_put(b, IR_F32, 48, ir_fsqrt(b, IR_F32, z));
    ir_exit(b, 0x2000, 0);
    emit(t);
    compare_all(t, IR_F32, 3, "take");
    const uint64_t v[3] = {0x3f800000, 0, 3}; /* 1.0, 0, denormal */
    compare(t, v, 0, "take");
    assert_int_equal(stub_word(t->have, RESULT), FP_DIVZERO);
    assert_int_equal(stub_word(t->have, OTHER), FP_DENORMAL);
    assert_int_equal(t->have->vcpu.fp.flags, FP_DENORMAL | FP_INEXACT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arithmetic),         TEST(conversions),     TEST(comparisons),
        TEST(jump_on_comparison), TEST(flags_are_taken),
    };
    if (host_check() != NW_OK)
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
