/* Random records for the verifier. What it accepts must optimise to something that it accepts,
 * do the same in the interpreter before and after, and be emitted. */
#include "fuzz.h"

#include "../unit/ir_stub.h"
#include "guest/guest.h"
#include "host/host.h"

#define BUFFER  (1u << 20)
#define RECORDS 96

static uint32_t operand(struct input *in, char letter, uint32_t at)
{
    uint8_t v = take8(in);

    if (letter == 'o' && v == 255)
        return IR_NONE;
    if (letter == 'v' || letter == 'o')
        return v < 250 ? at - 1 - v % 24 : v * 0x01010101u;
    return v;
}

/* Most values of aux are wrong for floating point: some that are not. */
static void float_aux(struct ir_insn *i)
{
    switch (i->op) {
    case IR_f2si:
    case IR_f2ui: i->aux &= 3; break;
    case IR_fma: i->aux &= IR_FP_SOFT | 3; break;
    case IR_fcmp:
    case IR_fcmpx: i->aux &= IR_FP_SOFT | 1; break;
    case IR_fround: i->aux &= IR_FP_SOFT | IR_FP_QUIET | 3; break;
    case IR_fcmpm: i->aux &= IR_FP_SOFT | 31; break;
    case IR_fcc: i->aux = IR_FCC_B + i->aux % 6; break;
    case IR_frcpx:
    case IR_frsqrtx: i->aux = 0; break;
    case IR_fadd:
    case IR_fsub:
    case IR_fmul:
    case IR_fdiv:
    case IR_fsqrt:
    case IR_fminx:
    case IR_fmaxx: i->aux &= IR_FP_SOFT; break;
    default: break;
    }
}

/* … and for vectors the operation decides what carries it. */
static void vector_aux(struct ir_insn *i)
{
    if (!ir_op_is_vec(i->op))
        return;
    i->aux %= VEC_COUNT;
    i->op = vec_carrier(i->aux);
    if (!vec_has_type(i->aux, i->type))
        i->type = vec_has_type(i->aux, IR_V128) ? IR_V128 : IR_V256;
}

static struct ir_insn record(struct input *in, uint32_t at)
{
    struct ir_insn i = {.op = take8(in) % (IR_OP_COUNT + 1), .type = take8(in) % (IR_V256 + 1)};

    i.aux = take16(in);
    vector_aux(&i);
    const char *letters = i.op < IR_OP_COUNT ? ir_rows[i.op].operands : "iii";

    i.a = operand(in, letters[0], at);
    i.b = operand(in, letters[1], at);
    i.c = operand(in, letters[2], at);
    /* Offsets, tables and call indices are the builder's word: only records are suspect here. */
    if (i.op == IR_get)
        i.a = i.a % 30 * 8;
    if (i.op == IR_put)
        i.b = i.b % 30 * 8;
    if (i.op == IR_exit_exc)
        i.a = EXC_UNDEFINED, i.aux = 0;
    if (i.op < IR_OP_COUNT && ir_rows[i.op].effects & IR_E_FAULT) {
        /* One MMU index, alignment within what memops can say. */
        i.aux &= (uint16_t) ~(IR_MEM_MMU(3) | 0xf800u);
        if (IR_MEM_ALIGN_OF(i.aux) > 5)
            i.aux = (uint16_t)(i.aux & ~IR_MEM_ALIGN(7));
    }
    float_aux(&i);
    return i;
}

static void make(struct input *in, struct ir_region *r)
{
    ir_region_clear(r);
    r->nlabels = take8(in) % 5;
    for (unsigned n = take8(in) % 4; n; n--)
        FUZZ_CHECK(VEC_PUSH(&r->exits, ((struct ir_exit){.pc = 0x100 + n, .back_edge = n & 1})),
                   "no memory");
    r->pc = 0x1000;
    r->size = 4;
    r->ninsns = 1;
    while (in->left && r->insns.len < RECORDS)
        FUZZ_CHECK(VEC_PUSH(&r->insns, record(in, r->insns.len)), "no memory");
    FUZZ_CHECK(VEC_PUSH(&r->insns, ((struct ir_insn){.op = IR_exit_state})), "no memory");
}

static struct guest_ops guest = {
    .name = "ir", .pc_offset = STUB_PC, .aux_offset = STUB_AUX, .addr_type = IR_I32, .min_insn = 4};

static void emit(const struct ir_region *r, const struct host_options *options)
{
    static struct host_emitter *emitter;
    static struct host_runtime runtime;
    static uint8_t *code;
    struct host_exit exits[8] = {0};
    struct host_code out = {.exits = exits};

    if (!emitter) {
        emitter = host_emitter_new();
        code = aligned_alloc(64, BUFFER);
        FUZZ_CHECK(emitter && code &&
                       host_emit_runtime((struct host_buffer){code, code, BUFFER}, &guest,
                                         &runtime) == NW_OK,
                   "runtime");
    }
    uint32_t at = (runtime.size + 31) & ~31u;
    struct host_buffer part = {code + at, code + at, BUFFER - at};
    FUZZ_CHECK(host_emit(emitter, &guest, r, options, &runtime, at, part, &out) == NW_OK,
               "emission");
    VEC_FREE(&out.sites);
    VEC_FREE(&out.insn_offsets);
}

static void prepare(struct stub *s, uint8_t fp_rules)
{
    memset(&s->vcpu.exc, 0, sizeof s->vcpu.exc);
    memset(&s->vcpu.fp, 0, sizeof s->vcpu.fp);
    s->vcpu.fp.rules = fp_rules;
    for (unsigned n = 0; n < VCPU_STATE_SIZE; n++)
        s->vcpu.state[n] = (uint8_t)(n * 37);
    memset(s->vcpu.state + STUB_PC, 0, 8);
    for (unsigned n = 0; n < STUB_MEMORY; n++)
        s->memory[n] = (uint8_t)(n * 11);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stub *before, *after;
    static struct ir_region r;
    struct input in = {data, size};
    uint8_t choice = take8(&in);
    struct host_options options = {.fastmem = choice & 1, .chain = choice & 2};
    char why[128] = "";

    if (!before) {
        before = stub_new();
        after = stub_new();
        ir_region_init(&r);
        r.pc_offset = STUB_PC;
        r.aux_offset = STUB_AUX;
    }
    make(&in, &r);
    if (!ir_verify(&r, why, sizeof why)) {
#ifdef NW_VERIFY
        FUZZ_CHECK(ir_run_passes(&r) == NW_ERR_INTERNAL, "passes take what is wrong");
#endif
        return 0;
    }
    guest.fp_rules = choice & 4 ? FP_RULES_X86 : FP_RULES_ARM;
    prepare(before, guest.fp_rules);
    prepare(after, guest.fp_rules);
    enum ir_leave left = stub_run(before, &r);
    FUZZ_CHECK(ir_run_passes(&r) == NW_OK, "passes");
    FUZZ_CHECK(ir_verify(&r, why, sizeof why), "%s", why);
    FUZZ_CHECK(stub_run(after, &r) == left, "left %d", left);
    /* Loads whose value nobody wants stay: they may fault. */
    FUZZ_CHECK(stub_equal(before, after), "state");
    emit(&r, &options);
    return 0;
}
