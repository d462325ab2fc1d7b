/* Random regions, each made twice: appended record by record, and through the folding builder.
 * Both, and both after the passes, must do the same to random states. The seed of a failure is
 * printed; give it as the only argument to run and print that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ir/build.h"
#include "ir/print.h"
#include "ir_stub.h"

#define SEEDS      20000
#define MAX_STEPS  160
#define MAX_LABELS 8
#define STATES     4
#define SLOTS_END  64 /* gets and puts stay below this offset */

struct gen {
    uint64_t seed;
    struct ir_region raw;
    ir_val result[MAX_STEPS * 4]; /* beside raw.insns: the sum of a flags record */
    bool hidden[MAX_STEPS * 4];
    uint32_t first_skip[MAX_LABELS];
    bool placed[MAX_LABELS];
};

static uint64_t rnd(struct gen *g)
{
    uint64_t z = g->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static unsigned below(struct gen *g, unsigned n)
{
    return (unsigned)(rnd(g) % n);
}

static uint64_t interesting(struct gen *g)
{
    static const uint64_t some[] = {0,          1,          2,          3,           4,
                                    8,          15,         31,         32,          63,
                                    64,         255,        0x7fff,     0xffff,      0x7fffffff,
                                    0x80000000, 0xffffffff, 0xfffffffe, 0x100000000, INT64_MAX,
                                    1ull << 63, UINT64_MAX, 0x3f800000, 0x7fc00000,  0xff800001};
    return below(g, 4) ? some[below(g, ARRAY_LEN(some))] : rnd(g);
}

static ir_val append(struct gen *g, struct ir_insn i)
{
    assert_true(VEC_PUSH(&g->raw.insns, i));
    g->result[g->raw.insns.len - 1] = IR_NONE;
    g->hidden[g->raw.insns.len - 1] = false;
    return g->raw.insns.len - 1;
}

static ir_val make(struct gen *g, enum ir_op op, enum ir_type t, ir_val a, ir_val b, ir_val c,
                   unsigned aux)
{
    return append(
        g, (struct ir_insn){.op = op, .type = t, .aux = (uint16_t)aux, .a = a, .b = b, .c = c});
}

static ir_val constant(struct gen *g, enum ir_type t)
{
    uint64_t bits = interesting(g);
    return make(g, IR_const, t, 0, (uint32_t)bits,
                ir_type_size(t) == 8 ? (uint32_t)(bits >> 32) : 0, 0);
}

static uint32_t place(struct gen *g, enum ir_type t)
{
    unsigned size = ir_type_size(t);
    unsigned step = below(g, 8) ? (size < 4 ? 4 : size) : 1;
    return below(g, (SLOTS_END - size) / step + 1) * step;
}

/* A visible value of type T: one that is there, or a new one. */
static ir_val value(struct gen *g, enum ir_type t)
{
    for (unsigned tries = 0; g->raw.insns.len && tries < 12; tries++) {
        unsigned reach = below(g, 2) && g->raw.insns.len > 6 ? 6 : g->raw.insns.len;
        ir_val v = g->raw.insns.len - 1 - below(g, reach);
        if (!g->hidden[v] && ir_result_type(&g->raw.insns.at[v]) == t)
            return v;
    }
    if (below(g, 2))
        return constant(g, t);
    return make(g, IR_get, t, place(g, t), 0, 0, 0);
}

static ir_val truth(struct gen *g)
{
    enum ir_type t = below(g, 2) ? IR_I32 : IR_I64;
    ir_val x = value(g, t);
    return make(g, IR_cmp, t, x, value(g, t), 0, below(g, IR_SGT + 1));
}

static void gen_integer(struct gen *g)
{
    static const uint8_t ops[] = {IR_add,  IR_add,  IR_sub,  IR_mul,  IR_mulhu, IR_mulhs,  IR_udiv,
                                  IR_sdiv, IR_and,  IR_or,   IR_xor,  IR_andn,  IR_not,    IR_neg,
                                  IR_shl,  IR_shr,  IR_sar,  IR_ror,  IR_clz,   IR_popcnt, IR_bswap,
                                  IR_smin, IR_smax, IR_umin, IR_umax, IR_and,   IR_xor,    IR_shr};
    enum ir_op op = ops[below(g, ARRAY_LEN(ops))];
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    bool shift = op == IR_shl || op == IR_shr || op == IR_sar || op == IR_ror;
    ir_val a = value(g, t), b = 0;
    if (ir_rows[op].operands[1] == 'v')
        b = below(g, 3) ? value(g, shift ? IR_I32 : t) : constant(g, shift ? IR_I32 : t);
    make(g, op, t, a, b, 0, 0);
}

static void gen_field(struct gen *g)
{
    static const uint8_t ops[] = {IR_ubfx, IR_sbfx, IR_bfi};
    enum ir_op op = ops[below(g, 3)];
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    unsigned width = ir_type_size(t) * 8, lsb = below(g, 2) ? 0 : below(g, width);
    unsigned size = below(g, 2) ? 1 + below(g, width - lsb) : (width - lsb < 8 ? width - lsb : 8);
    ir_val a = value(g, t);
    make(g, op, t, a, op == IR_bfi ? value(g, t) : 0, 0, lsb | size << 8);
}

static void gen_convert(struct gen *g)
{
    switch (below(g, 6)) {
    case 0: make(g, IR_zext, IR_I64, value(g, IR_I32), 0, 0, 0); break;
    case 1: make(g, IR_sext, IR_I64, value(g, IR_I32), 0, 0, 0); break;
    case 2: make(g, IR_trunc, IR_I32, value(g, IR_I64), 0, 0, 0); break;
    case 3: make(g, IR_bitcast, IR_F32, value(g, IR_I32), 0, 0, 0); break;
    case 4: make(g, IR_bitcast, IR_I32, value(g, IR_F32), 0, 0, 0); break;
    default: make(g, IR_bitcast, IR_I64, value(g, IR_F64), 0, 0, 0); break;
    }
}

static void gen_choice(struct gen *g)
{
    static const uint8_t types[] = {IR_I32, IR_I32, IR_I64, IR_F32, IR_F64};
    if (below(g, 3) == 0) {
        truth(g);
        return;
    }
    enum ir_type t = types[below(g, ARRAY_LEN(types))];
    ir_val cond = below(g, 3) ? truth(g) : value(g, IR_I32), yes = value(g, t);
    make(g, IR_select, t, cond, yes, value(g, t), 0);
}

/* Flags, often with the sum that a lifter would have made, and tests of them. */
static void gen_flags(struct gen *g)
{
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    enum ir_op op = below(g, 2) ? IR_nzcv_add : IR_nzcv_sub;
    ir_val a = value(g, t), b = value(g, t), carry = below(g, 3) ? IR_NONE : truth(g),
           sum = IR_NONE, flags;
    if (below(g, 3) == 0) {
        ir_val c = below(g, 2) ? truth(g) : IR_NONE;
        flags = make(g, IR_nzcv_logic, t, a, c, value(g, IR_I32), 0);
    } else {
        if (carry == IR_NONE && below(g, 2)) {
            sum = make(g, op == IR_nzcv_add ? IR_add : IR_sub, t, a, b, 0, 0);
        } else if (carry != IR_NONE && t == IR_I32 && below(g, 2)) {
            ir_val y = op == IR_nzcv_add ? b : make(g, IR_not, t, b, 0, 0, 0);
            sum = make(g, IR_add, t, make(g, IR_add, t, a, y, 0, 0), carry, 0, 0);
        }
        flags = make(g, op, t, a, b, carry, 0);
        g->result[flags] = sum;
    }
    if (below(g, 3) == 0)
        flags = make(g, IR_select, IR_I32, truth(g), flags, value(g, IR_I32), 0);
    for (unsigned n = below(g, 3); n; n--)
        make(g, IR_nzcv_test, IR_I32, flags, 0, 0, below(g, 14));
}

static void gen_state(struct gen *g)
{
    static const uint8_t types[] = {IR_I32, IR_I32, IR_I32, IR_I32, IR_I64,
                                    IR_F32, IR_F64, IR_I8,  IR_I16};
    enum ir_type t = types[below(g, ARRAY_LEN(types))];
    if (below(g, 2))
        make(g, IR_get, t, place(g, t), 0, 0, 0);
    else
        make(g, IR_put, t, value(g, t < IR_I32 ? IR_I32 : t), place(g, t), 0, 0);
}

static void gen_memory(struct gen *g)
{
    enum ir_type t = below(g, 3) ? IR_I32 : IR_I64;
    unsigned memop = below(g, t == IR_I32 ? 3 : 4) | (below(g, 2) ? IR_MEM_SIGNED : 0);
    ir_val addr = value(g, IR_I32);
    if (below(g, 4))
        addr = make(g, IR_ubfx, IR_I32, addr, 0, 0, 0 | 11 << 8);
    switch (below(g, 4)) {
    case 0: make(g, IR_st, t, addr, value(g, t), 0, memop & ~IR_MEM_SIGNED); break;
    case 1: {
        ir_val old = value(g, t);
        make(g, IR_cas, t, addr, old, value(g, t), memop & ~IR_MEM_SIGNED);
        break;
    }
    default: make(g, IR_ld, t, addr, 0, 0, memop); break;
    }
}

static void gen_float(struct gen *g)
{
    static const uint8_t ops[] = {IR_fadd, IR_fmul, IR_fdiv, IR_fneg,
                                  IR_fabs, IR_fcmp, IR_fma,  IR_fneg};
    enum ir_op op = ops[below(g, ARRAY_LEN(ops))];
    enum ir_type t = below(g, 2) ? IR_F32 : IR_F64;
    ir_val a = value(g, t), b = ir_rows[op].operands[1] == 'v' ? value(g, t) : 0;
    make(g, op, t, a, b, ir_rows[op].operands[2] == 'v' ? value(g, t) : 0, 0);
}

static uint64_t helper_mix(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)vcpu, (void)c, (void)d;
    return (a ^ b << 7) * 0x9e3779b97f4a7c15u;
}

static uint64_t helper_read(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t sum = 0;
    (void)b, (void)c, (void)d;
    for (unsigned n = 0; n < SLOTS_END; n++)
        sum = sum * 31 + vcpu->state[n];
    return sum + a;
}

static uint64_t helper_write(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    vcpu->state[a % SLOTS_END] ^= (uint8_t)(a >> 8 | 1);
    return 0;
}

static uint64_t helper_exit(struct nw_vcpu *vcpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    if (a % 3 == 0)
        vcpu_raise(vcpu, EXC_UNDEFINED, (uint32_t)a);
    return a;
}

static const struct ir_helper helpers[] = {
    {"mix", helper_mix, IR_H_PURE, IR_I64, 2},
    {"read", helper_read, IR_H_READS, IR_I32, 1},
    {"write", helper_write, IR_H_WRITES, IR_VOID, 1},
    {"exit", helper_exit, IR_H_EXITS, IR_I32, 1},
};

static void gen_call(struct gen *g)
{
    struct ir_call call = {&helpers[below(g, ARRAY_LEN(helpers))],
                           {IR_NONE, IR_NONE, IR_NONE, IR_NONE}};
    for (unsigned n = 0; n < call.helper->nargs; n++)
        call.args[n] = value(g, below(g, 2) ? IR_I32 : IR_I64);
    assert_true(VEC_PUSH(&g->raw.calls, call));
    make(g, IR_call, call.helper->ret, g->raw.calls.len - 1, 0, 0, 0);
}

static uint32_t gen_target(struct gen *g)
{
    struct ir_exit e = {.pc = 0x1000 + below(g, 64) * 4, .mode = below(g, 4)};
    assert_true(VEC_PUSH(&g->raw.exits, e));
    return g->raw.exits.len - 1;
}

static void gen_leave(struct gen *g)
{
    switch (below(g, 4)) {
    case 0: make(g, IR_exit, IR_VOID, gen_target(g), 0, 0, 0); break;
    case 1: {
        ir_val pc = value(g, IR_I32);
        make(g, IR_exit_ind, IR_VOID, pc, value(g, IR_I32), 0, 0);
        break;
    }
    case 2: make(g, IR_exit_exc, IR_VOID, EXC_SYSCALL, below(g, 9), 0, below(g, 2) * 4); break;
    default: make(g, IR_exit_state, IR_VOID, 0, 0, 0, 0); break;
    }
}

static void gen_label(struct gen *g, unsigned n)
{
    make(g, IR_label, IR_VOID, n, 0, 0, 0);
    for (uint32_t v = g->first_skip[n]; v < g->raw.insns.len; v++)
        g->hidden[v] = true;
    g->placed[n] = true;
}

static void gen_flow(struct gen *g)
{
    unsigned n = below(g, MAX_LABELS);
    ir_val cond;
    switch (below(g, 8)) {
    case 0:
        cond = truth(g);
        make(g, IR_exit_if, IR_VOID, cond, gen_target(g), 0, 0);
        return;
    case 1:
        /* What follows cannot be reached up to the next label. */
        if (below(g, 3) == 0)
            gen_leave(g);
        return;
    default: break;
    }
    if (g->placed[n])
        return;
    if (g->first_skip[n] != IR_NONE && below(g, 3)) {
        gen_label(g, n);
        return;
    }
    cond = below(g, 6) ? truth(g) : constant(g, IR_I32);
    if (g->first_skip[n] == IR_NONE)
        g->first_skip[n] = g->raw.insns.len;
    make(g, below(g, 2) ? IR_skip_if : IR_skip_ifnot, IR_VOID, cond, n, 0, 0);
}

static void generate(struct gen *g, uint64_t seed)
{
    static void (*const makers[])(struct gen *) = {
        gen_integer, gen_integer, gen_integer, gen_integer, gen_field, gen_convert,
        gen_choice,  gen_flags,   gen_flags,   gen_state,   gen_state, gen_state,
        gen_memory,  gen_float,   gen_call,    gen_flow,    gen_flow};
    g->seed = seed;
    ir_region_clear(&g->raw);
    memset(g->first_skip, 0xff, sizeof g->first_skip);
    memset(g->placed, 0, sizeof g->placed);
    g->raw.nlabels = MAX_LABELS;
    g->raw.pc_offset = STUB_PC;
    g->raw.aux_offset = STUB_AUX;
    unsigned steps = 4 + below(g, MAX_STEPS - 4);
    uint32_t pc = 0x1000;
    make(g, IR_insn, IR_VOID, 7, pc, 0, 0);
    for (unsigned n = 0; n < steps && g->raw.insns.len < MAX_STEPS * 3; n++) {
        if (below(g, 5) == 0)
            make(g, IR_insn, IR_VOID, below(g, 3), pc += 4, 0, 0);
        makers[below(g, ARRAY_LEN(makers))](g);
    }
    for (unsigned n = 0; n < MAX_LABELS; n++)
        if (g->first_skip[n] != IR_NONE && !g->placed[n])
            gen_label(g, n);
    gen_leave(g);
}

/* ---- the same region through the builder ---- */

static ir_val replay_one(struct ir_builder *b, const struct gen *g, uint32_t v, const ir_val *map)
{
    const struct ir_insn *i = &g->raw.insns.at[v];
    const char *shape = ir_rows[i->op].operands;
    ir_val x = i->a, y = i->b, z = i->c,
           sum = g->result[v] == IR_NONE ? IR_NONE : map[g->result[v]];
    x = shape[0] == 'v' ? map[x] : x;
    y = shape[1] == 'v' || (shape[1] == 'o' && y != IR_NONE) ? map[y] : y;
    z = shape[2] == 'v' || (shape[2] == 'o' && z != IR_NONE) ? map[z] : z;
    const struct ir_exit *e = i->op == IR_exit      ? &g->raw.exits.at[i->a]
                              : i->op == IR_exit_if ? &g->raw.exits.at[i->b]
                                                    : NULL;
    switch (i->op) {
    case IR_const:
        return i->type == IR_I32   ? ir_const32(b, i->b)
               : i->type == IR_I64 ? ir_const64(b, ir_const_bits(i))
               : i->type == IR_F32 ? ir_bitcast(b, IR_F32, ir_const32(b, i->b))
                                   : ir_bitcast(b, IR_F64, ir_const64(b, ir_const_bits(i)));
    case IR_get: return ir_get(b, i->type, i->a);
    case IR_put: ir_put(b, i->type, i->b, x); return IR_NONE;
    case IR_insn: ir_insn_start(b, ir_insn_pc(i), i->a); return IR_NONE;
    case IR_nzcv_add: return ir_nzcv_add(b, i->type, x, y, z, sum);
    case IR_nzcv_sub: return ir_nzcv_sub(b, i->type, x, y, z, sum);
    case IR_nzcv_logic: return ir_nzcv_logic(b, i->type, x, y, z);
    case IR_nzcv_test: return ir_nzcv_test(b, i->aux, x);
    case IR_call: {
        const struct ir_call *c = &g->raw.calls.at[i->a];
        ir_val args[4];
        for (unsigned n = 0; n < 4; n++)
            args[n] = c->args[n] == IR_NONE ? IR_NONE : map[c->args[n]];
        return ir_call(b, c->helper, args[0], args[1], args[2], args[3]);
    }
    case IR_skip_if: ir_skip_if(b, x, y); return IR_NONE;
    case IR_skip_ifnot: ir_skip_ifnot(b, x, y); return IR_NONE;
    case IR_label: ir_label(b, x); return IR_NONE;
    case IR_exit_if: ir_exit_if(b, x, e->pc, e->mode); return IR_NONE;
    case IR_exit: ir_exit(b, e->pc, e->mode); return IR_NONE;
    case IR_exit_ind: ir_exit_ind(b, x, y); return IR_NONE;
    case IR_exit_exc: ir_exit_exc(b, i->a, i->b, i->aux); return IR_NONE;
    case IR_exit_state: ir_exit_state(b); return IR_NONE;
    default:
        return shape[2] == 'v'   ? ir_op3(b, i->op, i->type, x, y, z, i->aux)
               : shape[1] == 'v' ? ir_op2(b, i->op, i->type, x, y, i->aux)
                                 : ir_op1(b, i->op, i->type, x, i->aux);
    }
}

static void replay(struct ir_builder *b, const struct gen *g, struct ir_region *out)
{
    ir_val map[MAX_STEPS * 4];
    ir_begin(b, out);
    out->pc_offset = STUB_PC;
    out->aux_offset = STUB_AUX;
    for (unsigned n = 0; n < MAX_LABELS; n++)
        assert_int_equal(ir_label_new(b), n);
    for (uint32_t v = 0; v < g->raw.insns.len; v++)
        map[v] = replay_one(b, g, v, map);
    ir_end(b);
}

/* ---- comparing ---- */

static void random_state(struct gen *g, struct stub *s)
{
    for (unsigned n = 0; n < SLOTS_END; n += 8) {
        uint64_t bits = below(g, 2) ? rnd(g) : interesting(g);
        memcpy(s->vcpu.state + n, &bits, 8);
    }
    for (unsigned n = 0; n < STUB_MEMORY; n += 8) {
        uint64_t bits = rnd(g);
        memcpy(s->memory + n, &bits, 8);
    }
    memset(&s->vcpu.exc, 0, sizeof s->vcpu.exc);
    memset(&s->vcpu.fp, 0, sizeof s->vcpu.fp);
}

static void check_valid(const struct ir_region *r, const char *what, uint64_t seed)
{
    char why[200];
    if (ir_verify(r, why, sizeof why))
        return;
    ir_print(stderr, r, NULL);
    fail_msg("seed %llu, %s: %s", (unsigned long long)seed, what, why);
}

struct bench {
    struct gen gen;
    struct ir_builder *builder;
    struct ir_region built, passed, raw_passed;
    struct stub *start, *want, *have;
};

static void check_same(struct bench *t, const struct ir_region *r, const char *what, uint64_t seed)
{
    *t->have = *t->start;
    enum ir_leave left = stub_run(t->have, r);
    *t->want = *t->start;
    enum ir_leave wanted = stub_run(t->want, &t->gen.raw);
    if (left == wanted && stub_equal(t->want, t->have))
        return;
    ir_print(stderr, &t->gen.raw, NULL);
    fprintf(stderr, "---- %s\n", what);
    ir_print(stderr, r, NULL);
    for (unsigned n = 0; n < STUB_AUX + 4; n += 4)
        if (stub_word(t->want, n) != stub_word(t->have, n))
            fprintf(stderr, "[%u] %08x, not %08x\n", n, stub_word(t->have, n),
                    stub_word(t->want, n));
    fail_msg("seed %llu: %s differs", (unsigned long long)seed, what);
}

static void copy_region(struct ir_region *to, const struct ir_region *from)
{
    ir_region_clear(to);
    for (uint32_t n = 0; n < from->insns.len; n++)
        assert_true(VEC_PUSH(&to->insns, from->insns.at[n]));
    for (uint32_t n = 0; n < from->exits.len; n++)
        assert_true(VEC_PUSH(&to->exits, from->exits.at[n]));
    for (uint32_t n = 0; n < from->calls.len; n++)
        assert_true(VEC_PUSH(&to->calls, from->calls.at[n]));
    to->nlabels = from->nlabels;
    to->pc_offset = from->pc_offset;
    to->aux_offset = from->aux_offset;
}

static void run_seed(struct bench *t, uint64_t seed)
{
    generate(&t->gen, seed);
    replay(t->builder, &t->gen, &t->built);
    check_valid(&t->built, "built", seed);
    copy_region(&t->passed, &t->built);
    assert_int_equal(ir_pass_dead(&t->passed), NW_OK);
    check_valid(&t->passed, "built and passed", seed);
    copy_region(&t->raw_passed, &t->gen.raw);
    assert_int_equal(ir_pass_dead(&t->raw_passed), NW_OK);
    for (unsigned n = 0; n < STATES; n++) {
        random_state(&t->gen, t->start);
        check_same(t, &t->built, "built", seed);
        check_same(t, &t->passed, "built and passed", seed);
        check_same(t, &t->raw_passed, "raw and passed", seed);
    }
}

static uint64_t only_seed;

static void random_regions(void **state)
{
    struct bench *t = calloc(1, sizeof *t);
    (void)state;
    t->builder = ir_builder_new();
    t->start = stub_new();
    t->want = stub_new();
    t->have = stub_new();
    ir_region_init(&t->gen.raw);
    ir_region_init(&t->built);
    ir_region_init(&t->passed);
    ir_region_init(&t->raw_passed);
    for (uint64_t seed = only_seed ? only_seed : 1; seed <= (only_seed ? only_seed : SEEDS); seed++)
        run_seed(t, seed);
    ir_region_free(&t->gen.raw);
    ir_region_free(&t->built);
    ir_region_free(&t->passed);
    ir_region_free(&t->raw_passed);
    free(t->start);
    free(t->want);
    free(t->have);
    ir_builder_free(t->builder);
    free(t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_regions)};
    only_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
