#include "wide_guest.h"

#include <string.h>
#include "mem/mem.h"

#define OFF(field) ((uint32_t)offsetof(struct wide_state, field))
#define R(n)       (OFF(r) + 8 * (uint32_t)(n))

struct wide_lift {
    struct ir_builder *b;
    uint64_t pc;
    uint32_t word;
    bool done;
};

static unsigned field_a(const struct wide_lift *l)
{
    return l->word >> 20 & 15;
}

static int64_t imm(const struct wide_lift *l)
{
    return (int16_t)l->word;
}

static ir_val number(struct wide_lift *l, int64_t n)
{
    return ir_const64(l->b, (uint64_t)n);
}

static ir_val get(struct wide_lift *l, unsigned n)
{
    return ir_get(l->b, IR_I64, R(n & 15));
}

static void put(struct wide_lift *l, ir_val v)
{
    ir_put(l->b, IR_I64, R(field_a(l)), v);
}

static ir_val plus(struct wide_lift *l, ir_val v, int64_t n)
{
    return ir_add(l->b, IR_I64, v, number(l, n));
}

static ir_val indexed(struct wide_lift *l)
{
    ir_val scale = ir_const32(l->b, l->word >> 4 & 3);
    ir_val index = ir_shl(l->b, IR_I64, get(l, l->word), scale);

    return plus(l, ir_add(l->b, IR_I64, get(l, l->word >> 16), index), imm(l) >> 6);
}

static uint64_t fetch_fault(struct nw_vcpu *vcpu, uint64_t addr, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a, (void)b, (void)c;
    mem_raise_fetch(vcpu, addr, 4);
    return 0;
}

static const struct ir_helper fetch_helper = {"fetch_fault", fetch_fault, IR_H_READS | IR_H_EXITS,
                                              IR_VOID, 1};

static void load(struct wide_lift *l, ir_val addr, uint16_t memop)
{
    put(l, ir_ld(l->b, IR_I64, addr, memop));
}

static void lift_push(struct wide_lift *l)
{
    unsigned b = l->word >> 16 & 15;
    ir_val addr = plus(l, get(l, b), -8);

    ir_st(l->b, IR_I64, addr, get(l, field_a(l)), 3);
    ir_put(l->b, IR_I64, R(b), addr);
}

static void lift_rmw(struct wide_lift *l, ir_val addr)
{
    enum ir_op op = IR_atomic_add + (l->word >> 4 & 7);
    unsigned size = l->word >> 8 & 3;
    enum ir_type type = size < 3 ? IR_I32 : IR_I64;
    ir_val v = get(l, l->word), old;

    old = ir_atomic(l->b, op, type, addr, size < 3 ? ir_trunc(l->b, IR_I32, v) : v, (uint16_t)size);
    if (!(l->word >> 12 & 1))
        put(l, size < 3 ? ir_zext(l->b, IR_I64, old) : old);
}

static uint64_t cas2(struct nw_vcpu *vcpu, uint64_t addr, uint64_t a, uint64_t c, uint64_t unused)
{
    struct wide_state *s = (struct wide_state *)vcpu->state;

    (void)unused;
    mem_cas16(vcpu, addr, &s->r[a], &s->r[c], &s->r[a], 4);
    return 0;
}

static const struct ir_helper cas2_helper = {"cas2", cas2, IR_H_READS | IR_H_WRITES | IR_H_EXITS,
                                             IR_VOID, 3};

static void lift_branch(struct wide_lift *l)
{
    ir_val taken = ir_cmp(l->b, IR_NE, IR_I64, get(l, field_a(l)), get(l, l->word >> 16));

    ir_exit_if(l->b, taken, l->pc + 4 * (uint64_t)imm(l), 0);
}

static void lift_one(struct wide_lift *l)
{
    ir_val b = get(l, l->word >> 16), near = plus(l, b, imm(l)), far = plus(l, b, imm(l) * 65536);
    ir_val a = get(l, field_a(l));
    unsigned op = l->word >> 24;

    switch (op) {
    case WIDE_LI: put(l, number(l, imm(l))); break;
    case WIDE_ADDI: put(l, near); break;
    case WIDE_LD1:
    case WIDE_LD2:
    case WIDE_LD4:
    case WIDE_LD8: load(l, near, (uint16_t)(op - WIDE_LD1)); break;
    case WIDE_LDS: load(l, near, 2 | IR_MEM_SIGNED); break;
    case WIDE_ST1:
    case WIDE_ST2:
    case WIDE_ST4:
    case WIDE_ST8: ir_st(l->b, IR_I64, near, a, (uint16_t)(op - WIDE_ST1)); break;
    case WIDE_LDF: load(l, far, 3); break;
    case WIDE_STF: ir_st(l->b, IR_I64, far, a, 3); break;
    case WIDE_LDX: load(l, indexed(l), 3); break;
    case WIDE_STX: ir_st(l->b, IR_I64, indexed(l), a, 3); break;
    case WIDE_LD32:
        load(l, plus(l, ir_zext(l->b, IR_I64, ir_trunc(l->b, IR_I32, b)), imm(l)), 3);
        break;
    case WIDE_PUSH: lift_push(l); break;
    case WIDE_COPY: ir_st(l->b, IR_I64, a, ir_ld(l->b, IR_I64, near, 3), 3); break;
    case WIDE_COPYX: ir_st(l->b, IR_V128, a, ir_ld(l->b, IR_V128, near, 4), 4); break;
    case WIDE_COPYY: ir_st(l->b, IR_V256, a, ir_ld(l->b, IR_V256, near, 5), 5); break;
    case WIDE_CAS: put(l, ir_cas(l->b, IR_I64, b, a, get(l, l->word), 3)); break;
    case WIDE_RMW: lift_rmw(l, b); break;
    case WIDE_CAS2:
        ir_call(l->b, &cas2_helper, b, number(l, field_a(l)), number(l, imm(l)), IR_NONE);
        break;
    case WIDE_BNE: lift_branch(l); break;
    case WIDE_J:
        ir_exit(l->b, l->pc + 4 * (uint64_t)imm(l), 0);
        l->done = true;
        break;
    case WIDE_JR:
        ir_exit_ind(l->b, a, ir_const32(l->b, 0));
        l->done = true;
        break;
    case WIDE_SYS:
        ir_exit_exc(l->b, EXC_SYSCALL, l->word & 0xffff, 4);
        l->done = true;
        break;
    default:
        ir_exit_exc(l->b, EXC_UNDEFINED, 0, 0);
        l->done = true;
        break;
    }
}

static void wide_lift_block(struct ir_builder *b, struct lift_request *req)
{
    struct wide_lift l = {.b = b, .pc = req->key.pc};
    struct ir_region *region = ir_region_of(b);

    while (!l.done && region->ninsns < req->max_insns) {
        if (!req->fetch(req, l.pc, &l.word, 4)) {
            if (region->ninsns)
                break;
            ir_insn_start(b, l.pc, 0);
            ir_call(b, &fetch_helper, ir_const64(b, l.pc), IR_NONE, IR_NONE, IR_NONE);
            ir_exit_state(b);
            return;
        }
        ir_insn_start(b, l.pc, region->ninsns);
        lift_one(&l);
        l.pc += 4;
        region->size += 4;
    }
    if (!l.done)
        ir_exit(b, l.pc, 0);
}

static nw_status wide_init(struct nw_vcpu *vcpu, const char *model)
{
    (void)model;
    memset(vcpu->state, 0, sizeof(struct wide_state));
    return NW_OK;
}

static void wide_reset(struct nw_vcpu *vcpu)
{
    wide_init(vcpu, NULL);
}

static struct block_key wide_key(const struct nw_vcpu *vcpu)
{
    return (struct block_key){.pc = ((const struct wide_state *)vcpu->state)->pc};
}

static bool wide_exception(struct nw_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

static bool wide_wakes(const struct nw_vcpu *vcpu)
{
    (void)vcpu;
    return true;
}

static uint64_t *reg(struct nw_vcpu *vcpu, unsigned n)
{
    struct wide_state *s = (struct wide_state *)vcpu->state;

    return n == WIDE_PC ? &s->pc : n < 16 ? &s->r[n] : NULL;
}

static nw_status wide_reg_read(struct nw_vcpu *vcpu, unsigned n, uint64_t *value)
{
    uint64_t *at = reg(vcpu, n);

    if (!at)
        return NW_ERR_ARG;
    *value = *at;
    return NW_OK;
}

static nw_status wide_reg_write(struct nw_vcpu *vcpu, unsigned n, uint64_t value)
{
    uint64_t *at = reg(vcpu, n);

    if (!at)
        return NW_ERR_ARG;
    *at = value;
    return NW_OK;
}

static const char *wide_slot(uint32_t offset, unsigned size)
{
    static const char *const names[] = {"r0", "r1",  "r2",  "r3",  "r4",  "r5",  "r6",  "r7", "r8",
                                        "r9", "r10", "r11", "r12", "r13", "r14", "r15", "pc"};

    return size == 8 && offset % 8 == 0 && offset / 8 < ARRAY_LEN(names) ? names[offset / 8] : NULL;
}

static const struct guest_pin pins[] = {
    {R(1), IR_I64}, {R(2), IR_I64}, {R(3), IR_I64}, {R(4), IR_I64}};

const struct guest_ops wide_guest = {
    .name = "wide",
    .state_size = sizeof(struct wide_state),
    .pc_offset = OFF(pc),
    .aux_offset = OFF(insn),
    .addr_type = IR_I64,
    .min_insn = 4,
    .pins = pins,
    .npins = ARRAY_LEN(pins),
    .names = {wide_slot},
    .init = wide_init,
    .reset = wide_reset,
    .key = wide_key,
    .lift = wide_lift_block,
    .exception = wide_exception,
    .interrupt = wide_exception,
    .wakes = wide_wakes,
    .reg_read = wide_reg_read,
    .reg_write = wide_reg_write,
};
