/* Every row of ir/vec.inc: its function against the host's instruction, on random operands and
 * corner cases, under all rounding modes, sticky flags included. A row's name as the only argument
 * runs that one. */
#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "../splitmix.h"
#include "host/host.h"
#include "ir/build.h"
#include "ir/print.h"
#include "ir_stub.h"

#define BUFFER (1u << 18)
#define INPUTS 1000 /* per row, type and way of using the operands */

/* Places in the state: the result, the operands, and where operands go that are used once more. */
enum { RESULT = 512, OPERANDS = 576, AGAIN = 704 };

static struct {
    struct host_buffer buf;
    struct host_runtime rt;
    struct host_code out;
    struct host_exit exits[4];
    uint32_t block;
    struct host_emitter *emitter;
    struct ir_builder *builder;
    struct ir_region region;
    struct stub *want, *have;
} t;

static const char *only;
static uint64_t seed = 1;

static uint64_t rnd(void)
{
    return splitmix64(&seed);
}

static unsigned below(unsigned n)
{
    return (unsigned)(rnd() % n);
}

/* ---- operands ---- */

static uint32_t corner32(void)
{
    static const uint32_t some[] = {
        0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
        0xffc12345, 0x7f800001, 0xff812345, 0x00000001, 0x807fffff, 0x00800000, 0x80800000,
        0x7f7fffff, 0xff7fffff, 0x4f000000, 0x4f800000, 0xcf000000, 0x3f000000, 0x40490fdb,
        0x3effffff, 0x4effffff, 0x3fc00000, 0x40200000, 0x33000000, 0x33800000, 0x38800000,
        0x387fffff, 0x477fe000, 0x477ff000, 0x477fefff, 0x7fffffff, 0xffffffff, 0x00000010};
    return some[below(sizeof some / sizeof *some)];
}

static uint64_t corner64(void)
{
    static const uint64_t some[] = {
        0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8123456789abc,
        0x7ff0000000000001, 0xfff4000000000000, 0x0000000000000001, 0x800fffffffffffff,
        0x0010000000000000, 0x8010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
        0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x41dfffffffe00000,
        0x41dfffffffc00000, 0x3fe0000000000000, 0x400921fb54442d18, 0x47efffffe0000000,
        0x47effffff0000000, 0x3810000000000000, 0x380fffffffffffff, 0x36a0000000000000,
        0x3690000000000000, 0x3ff8000000000000, 0x7fffffffffffffff, 0xffffffffffffffff,
        0x0000000000000020, 0x000000000000003f};
    return some[below(sizeof some / sizeof *some)];
}

static uint64_t element(unsigned width)
{
    static const uint16_t some[] = {0,      1,      2,      0x7f,   0x80,   0x81,   0xff,   0x100,
                                    0x7fff, 0x8000, 0x8001, 0xffff, 0xfffe, 15,     16,     17,
                                    31,     32,     33,     63,     64,     0x3c00, 0x7c00, 0x7c01,
                                    0x7e00, 0x0001, 0x03ff, 0xfc00, 0x7bff, 0x8400};
    unsigned choice = below(4);
    if (choice == 0)
        return rnd();
    if (choice == 1)
        return below(80);
    switch (width) {
    case 4: return corner32();
    case 8: return corner64();
    default: return some[below(sizeof some / sizeof *some)];
    }
}

static void random_vector(uint8_t *to)
{
    unsigned width = 1u << below(4);
    for (unsigned n = 0; n < 32; n += width) {
        uint64_t bits = element(width);
        memcpy(to + n, &bits, width);
    }
}

/* Operands that are equal, or near each other, are corner cases too. */
static void random_state(struct stub *s, const struct vec_row *r)
{
    uint8_t *at = s->vcpu.state + OPERANDS;
    for (unsigned n = 0; n < 3; n++)
        random_vector(at + 32 * n);
    for (unsigned n = below(12); n; n--) {
        unsigned width = 1u << below(4), place = below(32 / width) * width;
        memcpy(at + 32 + place, at + place, width);
    }
    random_vector(s->vcpu.state + RESULT);
    fp_env_set_mxcsr(&s->vcpu.fp, r->fp ? (rnd() & 0xe040) | 0x1f80 : 0x9fc0);
}

/* ---- one row ---- */

static void open_all(void)
{
    static const struct guest_ops guest = {.pc_offset = STUB_PC,
                                           .aux_offset = STUB_AUX,
                                           .addr_type = IR_I32,
                                           .fp_rules = FP_RULES_X86};
    int fd = memfd_create("code", 0);
    assert_true(fd >= 0 && ftruncate(fd, BUFFER) == 0);
    t.buf.size = BUFFER;
    t.buf.rw = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    t.buf.rx = mmap(NULL, BUFFER, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    assert_true(t.buf.rw != MAP_FAILED && t.buf.rx != MAP_FAILED);
    close(fd);
    assert_int_equal(host_emit_runtime(t.buf, &guest, &t.rt), NW_OK);
    t.block = t.rt.size;
    t.emitter = host_emitter_new();
    t.builder = ir_builder_new();
    t.want = stub_new();
    t.have = stub_new();
    ir_region_init(&t.region);
    t.out.exits = t.exits;
}

static ir_val carried(struct ir_builder *b, enum vec_op op, enum ir_type type, const ir_val *x,
                      unsigned imm)
{
    switch (vec_carrier(op)) {
    case IR_v0: return ir_v0(b, type, op);
    case IR_v1:
    case IR_vf1: return ir_v1(b, type, op, x[0]);
    case IR_v2:
    case IR_vf2: return ir_v2(b, type, op, x[0], x[1]);
    case IR_v3:
    case IR_vf3: return ir_v3(b, type, op, x[0], x[1], x[2]);
    case IR_v1i:
    case IR_vf1i: return ir_v1i(b, type, op, x[0], imm);
    default: return ir_v2i(b, type, op, x[0], x[1], imm);
    }
}

/* LIVE: operands that are used again afterwards, a bit each. */
static void build(enum vec_op op, enum ir_type type, unsigned imm, unsigned live)
{
    const struct vec_row *r = &vec_rows[op];
    char why[120] = "";
    ir_val x[3] = {0};
    ir_begin(t.builder, &t.region);
    t.region.pc_offset = STUB_PC;
    t.region.aux_offset = STUB_AUX;
    ir_insn_start(t.builder, 0x1000, 0);
    for (unsigned n = 0; n < r->values; n++)
        x[n] = ir_get(t.builder, vec_type(r->operand[n], type), OPERANDS + 32 * n);
    ir_put(t.builder, vec_type(r->result, type), RESULT, carried(t.builder, op, type, x, imm));
    for (unsigned n = 0; n < r->values; n++)
        if (live >> n & 1)
            ir_put(t.builder, vec_type(r->operand[n], type), AGAIN + 32 * n, x[n]);
    ir_exit(t.builder, 0x2000, 0);
    ir_end(t.builder);
    if (!ir_verify(&t.region, why, sizeof why))
        fail_msg("%s: %s", r->name, why);
    assert_int_equal(ir_pass_dead(&t.region), NW_OK);
}

static void emit(bool baseline)
{
    static const struct guest_ops guest = {.pc_offset = STUB_PC,
                                           .aux_offset = STUB_AUX,
                                           .addr_type = IR_I32,
                                           .fp_rules = FP_RULES_X86};
    struct host_options options = {.baseline = baseline};
    struct host_buffer part = {t.buf.rw + t.block, t.buf.rx + t.block, t.buf.size - t.block};
    assert_int_equal(
        host_emit(t.emitter, &guest, &t.region, &options, &t.rt, t.block, part, &t.out), NW_OK);
}

static void run_host(void)
{
    host_enter_fn enter;
    const void *at = t.buf.rx + t.rt.enter;
    memcpy(&enter, &at, sizeof enter);
    t.have->vcpu.leave = VCPU_LEAVE_NONE;
    vcpu_fp_changed(&t.have->vcpu);
    assert_non_null(enter(&t.have->vcpu, t.buf.rx + t.block));
}

static void dump(const char *what, const uint8_t *at)
{
    fprintf(stderr, "%-8s", what);
    for (unsigned n = 32; n-- > 0;)
        fprintf(stderr, "%02x%s", at[n], n % 8 ? "" : " ");
    fprintf(stderr, "\n");
}

static void report(const struct vec_row *r, const struct stub *start)
{
    static const char *const names[] = {"a", "b", "c"};
    ir_print(stderr, &t.region, NULL);
    fprintf(stderr, "mxcsr %x\n", start->vcpu.mxcsr);
    for (unsigned n = 0; n < r->values; n++)
        dump(names[n], t.want->vcpu.state + OPERANDS + 32 * n);
    dump("host", t.have->vcpu.state + RESULT);
    dump("function", t.want->vcpu.state + RESULT);
    fprintf(stderr, "flags: host %x, function %x\n", t.have->vcpu.fp.flags, t.want->vcpu.fp.flags);
    fail_msg("%s differs", r->name);
}

static bool host_is_amd(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == 0x68747541; /* Auth */
}

static bool both_nan(const uint8_t *a, const uint8_t *b, unsigned width)
{
    static const uint64_t infinity[] = {0x7f800000, 0x7ff0000000000000};
    uint64_t sign = 1ull << (8 * width - 1), x = 0, y = 0;
    memcpy(&x, a, width);
    memcpy(&y, b, width);
    return (x & ~sign) > infinity[width == 8] && (y & ~sign) > infinity[width == 8];
}

/* Which of several NaNs a dot product gives follows from the order in which its products are added,
 * which the manuals leave open. The functions have AMD's. */
static void forgive_nans(const struct vec_row *r)
{
    unsigned width = r == &vec_rows[VEC_fdot64] ? 8 : 4;

    if ((width == 4 && r != &vec_rows[VEC_fdot32_lane]) || host_is_amd())
        return;
    for (unsigned n = 0; n < 32; n += width) {
        uint8_t *have = t.have->vcpu.state + RESULT + n;
        const uint8_t *want = t.want->vcpu.state + RESULT + n;
        if (both_nan(have, want, width))
            memcpy(have, want, width);
    }
}

static void compare(const struct vec_row *r, unsigned inputs)
{
    for (unsigned n = 0; n < inputs; n++) {
        random_state(t.want, r);
        memcpy(t.have->vcpu.state, t.want->vcpu.state, VCPU_STATE_SIZE);
        t.have->vcpu.fp = t.want->vcpu.fp;
        run_host();
        assert_int_equal(stub_run(t.want, &t.region), IR_LEFT_EXIT);
        forgive_nans(r);
        if (memcmp(t.have->vcpu.state, t.want->vcpu.state, VCPU_STATE_SIZE) != 0 ||
            t.have->vcpu.fp.flags != t.want->vcpu.fp.flags)
            report(r, t.have);
    }
}

static void check_row(enum vec_op op, enum ir_type type, bool baseline)
{
    const struct vec_row *r = &vec_rows[op];
    for (unsigned live = 0; live < 1u << r->values; live++)
        for (unsigned imm = 0; imm < (r->imm ? 256 : 1); imm++) {
            if (r->imm && (imm & 1) == baseline)
                continue;
            build(op, type, imm, live);
            emit(baseline);
            compare(r, r->imm ? INPUTS / 50 : INPUTS);
        }
}

static void rows(void **state)
{
    (void)state;
    if (host_check() != NW_OK)
        skip();
    open_all();
    for (unsigned op = 0; op < VEC_COUNT; op++)
        for (enum ir_type type = IR_V128; type <= IR_V256; type++) {
            if (!vec_has_type(op, type) || (only && strcmp(only, vec_rows[op].name) != 0))
                continue;
            check_row(op, type, false);
            check_row(op, type, true);
        }
    VEC_FREE(&t.out.sites);
    VEC_FREE(&t.out.insn_offsets);
    ir_region_free(&t.region);
    ir_builder_free(t.builder);
    host_emitter_free(t.emitter);
    free(t.want);
    free(t.have);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows)};
    only = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
