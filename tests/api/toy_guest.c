#include "toy_guest.h"

#include <string.h>
#include "mem/mem.h"

#define OFF(field) ((uint32_t)offsetof(struct toy_state, field))
#define R(n)       (OFF(r) + 4 * (uint32_t)(n))
#define V(n)       (OFF(v) + 32 * ((uint32_t)(n)&15))

struct toy_lift {
    struct ir_builder *b;
    struct lift_request *req;
    uint32_t pc, word;
    bool done;
};

static struct toy_state *toy_of(struct nw_vcpu *vcpu)
{
    return (struct toy_state *)vcpu->state;
}

static unsigned field_a(const struct toy_lift *l)
{
    return l->word >> 20 & 15;
}

static ir_val get(struct toy_lift *l, unsigned n)
{
    return ir_get(l->b, IR_I32, R(n & 15));
}

static void put(struct toy_lift *l, ir_val v)
{
    ir_put(l->b, IR_I32, R(field_a(l)), v);
}

static int32_t imm(const struct toy_lift *l)
{
    return (int16_t)l->word;
}

static uint32_t target(const struct toy_lift *l)
{
    return l->pc + 4 * (uint32_t)imm(l);
}

static uint64_t fetch_fault(struct nw_vcpu *vcpu, uint64_t addr, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a, (void)b, (void)c;
    mem_raise_fetch(vcpu, addr, 4);
    return 0;
}

static uint64_t set_irq(struct nw_vcpu *vcpu, uint64_t on, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a, (void)b, (void)c;
    toy_of(vcpu)->irq_enabled = (uint32_t)on;
    return 0;
}

static const struct ir_helper fetch_helper = {"fetch_fault", fetch_fault, IR_H_READS | IR_H_EXITS,
                                              IR_VOID, 1};
static const struct ir_helper irq_helper = {"set_irq", set_irq, IR_H_READS | IR_H_WRITES, IR_VOID,
                                            1};

#define WORD 2u
static void lift_load(struct toy_lift *l, uint16_t memop)
{
    ir_val addr = ir_add(l->b, IR_I32, get(l, l->word >> 16), ir_const32(l->b, (uint32_t)imm(l)));
    unsigned a = field_a(l);
    ir_val v;

    if (IR_MEM_SIZE(memop) < 3) {
        put(l, ir_ld(l->b, IR_I32, addr, memop));
        return;
    }
    v = ir_ld(l->b, IR_I64, addr, memop);
    ir_put(l->b, IR_I32, R(a), ir_trunc(l->b, IR_I32, v));
    ir_put(l->b, IR_I32, R((a + 1) & 15),
           ir_trunc(l->b, IR_I32, ir_shr(l->b, IR_I64, v, ir_const32(l->b, 32))));
}

static void lift_store(struct toy_lift *l, uint16_t memop)
{
    ir_val addr = ir_add(l->b, IR_I32, get(l, l->word >> 16), ir_const32(l->b, (uint32_t)imm(l)));
    unsigned a = field_a(l);

    if (IR_MEM_SIZE(memop) < 3) {
        ir_st(l->b, IR_I32, addr, get(l, a), memop);
        return;
    }
    ir_val high = ir_shl(l->b, IR_I64, ir_zext(l->b, IR_I64, get(l, a + 1)), ir_const32(l->b, 32));
    ir_st(l->b, IR_I64, addr, ir_or(l->b, IR_I64, high, ir_zext(l->b, IR_I64, get(l, a))), memop);
}

static void lift_vector(struct toy_lift *l, bool store, enum ir_type type, uint16_t memop)
{
    ir_val addr = ir_add(l->b, IR_I32, get(l, l->word >> 16), ir_const32(l->b, (uint32_t)imm(l)));

    if (store)
        ir_st(l->b, type, addr, ir_get(l->b, type, V(field_a(l))), memop);
    else
        ir_put(l->b, type, V(field_a(l)), ir_ld(l->b, type, addr, memop));
}

static void lift_addy(struct toy_lift *l)
{
    ir_val x = ir_get(l->b, IR_V256, V(l->word >> 16)), y = ir_get(l->b, IR_V256, V(l->word));

    ir_put(l->b, IR_V256, V(field_a(l)), ir_v2(l->b, IR_V256, VEC_add32, x, y));
}

static void lift_branch(struct toy_lift *l, enum ir_cc cc)
{
    ir_val taken = ir_cmp(l->b, cc, IR_I32, get(l, field_a(l)), get(l, l->word >> 16));

    ir_exit_if(l->b, taken, target(l), 0);
    if (imm(l) > 0)
        return;
    ir_exit(l->b, l->pc + 4, 0);
    l->done = true;
}

static void lift_jump(struct toy_lift *l)
{
    ir_exit(l->b, target(l), 0);
    l->done = true;
}

static void lift_irq(struct toy_lift *l, uint32_t on, ir_val pc)
{
    ir_call(l->b, &irq_helper, ir_const32(l->b, on), IR_NONE, IR_NONE, IR_NONE);
    ir_put(l->b, IR_I32, OFF(pc), pc);
    ir_exit_state(l->b);
    l->done = true;
}

static void lift_raise(struct toy_lift *l, uint32_t kind, uint32_t payload, unsigned advance)
{
    ir_exit_exc(l->b, kind, payload, advance);
    l->done = true;
}

static void lift_fdiv(struct toy_lift *l)
{
    ir_val x = ir_bitcast(l->b, IR_F32, get(l, l->word >> 16));
    ir_val y = ir_bitcast(l->b, IR_F32, get(l, l->word));

    put(l, ir_bitcast(l->b, IR_I32, ir_fdiv(l->b, IR_F32, x, y)));
}

static void lift_cas(struct toy_lift *l)
{
    put(l, ir_cas(l->b, IR_I32, get(l, l->word >> 16), get(l, field_a(l)), get(l, l->word), WORD));
}

static void lift_one(struct toy_lift *l)
{
    ir_val b = get(l, l->word >> 16), c = get(l, l->word);

    switch (l->word >> 24) {
    case TOY_LI: put(l, ir_const32(l->b, (uint32_t)imm(l))); break;
    case TOY_LUI:
        put(l,
            ir_bfi(l->b, IR_I32, get(l, field_a(l)), ir_const32(l->b, l->word & 0xffff), 16, 16));
        break;
    case TOY_ADDI: put(l, ir_add(l->b, IR_I32, b, ir_const32(l->b, (uint32_t)imm(l)))); break;
    case TOY_ADD: put(l, ir_add(l->b, IR_I32, b, c)); break;
    case TOY_SUB: put(l, ir_sub(l->b, IR_I32, b, c)); break;
    case TOY_XOR: put(l, ir_xor(l->b, IR_I32, b, c)); break;
    case TOY_LD: lift_load(l, WORD); break;
    case TOY_LDA: lift_load(l, WORD | IR_MEM_ALIGN(2)); break;
    case TOY_LDH: lift_load(l, 1 | IR_MEM_SIGNED); break;
    case TOY_LDB: lift_load(l, 0); break;
    case TOY_LDBE: lift_load(l, WORD | IR_MEM_BE); break;
    case TOY_LDQ: lift_load(l, 3); break;
    case TOY_ST: lift_store(l, WORD); break;
    case TOY_STH: lift_store(l, 1); break;
    case TOY_STB: lift_store(l, 0); break;
    case TOY_STBE: lift_store(l, WORD | IR_MEM_BE); break;
    case TOY_STQ: lift_store(l, 3); break;
    case TOY_CAS: lift_cas(l); break;
    case TOY_BEQ: lift_branch(l, IR_EQ); break;
    case TOY_BNE: lift_branch(l, IR_NE); break;
    case TOY_JAL:
        put(l, ir_const32(l->b, l->pc + 4));
        lift_jump(l);
        break;
    case TOY_J: lift_jump(l); break;
    case TOY_JR:
        ir_exit_ind(l->b, get(l, field_a(l)), ir_const32(l->b, 0));
        l->done = true;
        break;
    case TOY_SYS: lift_raise(l, EXC_SYSCALL, l->word & 0xffff, 4); break;
    case TOY_BRK: lift_raise(l, EXC_BREAKPOINT, l->word & 0xffff, 0); break;
    case TOY_HLT: lift_raise(l, EXC_HALT, 0, 4); break;
    case TOY_EI: lift_irq(l, 1, ir_const32(l->b, l->pc + 4)); break;
    case TOY_DI: lift_irq(l, 0, ir_const32(l->b, l->pc + 4)); break;
    case TOY_ERET: lift_irq(l, 1, ir_get(l->b, IR_I32, OFF(epc))); break;
    case TOY_FDIV: lift_fdiv(l); break;
    case TOY_LDX: lift_vector(l, false, IR_V128, 4); break;
    case TOY_LDY: lift_vector(l, false, IR_V256, 5); break;
    case TOY_LDYA: lift_vector(l, false, IR_V256, 5 | IR_MEM_ALIGN(5)); break;
    case TOY_STX: lift_vector(l, true, IR_V128, 4); break;
    case TOY_STY: lift_vector(l, true, IR_V256, 5); break;
    case TOY_STYA: lift_vector(l, true, IR_V256, 5 | IR_MEM_ALIGN(5)); break;
    case TOY_ADDY: lift_addy(l); break;
    default: lift_raise(l, EXC_UNDEFINED, 0, 0); break;
    }
}

static void toy_lift_block(struct ir_builder *b, struct lift_request *req)
{
    struct toy_lift l = {.b = b, .req = req, .pc = (uint32_t)req->key.pc};
    struct ir_region *region = ir_region_of(b);

    while (!l.done && region->ninsns < req->max_insns) {
        if (!req->fetch(req, l.pc, &l.word, 4)) {
            if (region->ninsns)
                break;
            ir_insn_start(b, l.pc, 0);
            ir_call(b, &fetch_helper, ir_const32(b, l.pc), IR_NONE, IR_NONE, IR_NONE);
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

static nw_status toy_init(struct nw_vcpu *vcpu, const char *model)
{
    if (model && strcmp(model, "toy"))
        return NW_ERR_CPU;
    memset(vcpu->state, 0, sizeof(struct toy_state));
    return NW_OK;
}

static void toy_reset(struct nw_vcpu *vcpu)
{
    toy_init(vcpu, NULL);
}

static struct block_key toy_key(const struct nw_vcpu *vcpu)
{
    return (struct block_key){.pc = ((const struct toy_state *)vcpu->state)->pc};
}

static void enter(struct toy_state *s, uint32_t cause, uint32_t vector)
{
    s->epc = s->pc;
    s->cause = cause;
    s->irq_enabled = 0;
    s->pc = vector;
}

static bool toy_exception(struct nw_vcpu *vcpu)
{
    enter(toy_of(vcpu), vcpu->exc.kind, TOY_VECTOR);
    return true;
}

static bool toy_interrupt(struct nw_vcpu *vcpu)
{
    struct toy_state *s = toy_of(vcpu);

    if (!s->irq_enabled || !(__atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE) & 1))
        return false;
    enter(s, 100, TOY_IRQ_VECTOR);
    return true;
}

static bool toy_wakes(const struct nw_vcpu *vcpu)
{
    return __atomic_load_n(&vcpu->irq_lines, __ATOMIC_ACQUIRE) != 0;
}

static uint32_t *reg(struct nw_vcpu *vcpu, unsigned n)
{
    struct toy_state *s = toy_of(vcpu);

    switch (n) {
    case TOY_PC: return &s->pc;
    case TOY_IRQ_ENABLED: return &s->irq_enabled;
    case TOY_EPC: return &s->epc;
    case TOY_CAUSE: return &s->cause;
    default: return n < 16 ? &s->r[n] : NULL;
    }
}

static nw_status toy_reg_read(struct nw_vcpu *vcpu, unsigned n, uint64_t *value)
{
    uint32_t *at = reg(vcpu, n);

    if (!at)
        return NW_ERR_ARG;
    *value = *at;
    return NW_OK;
}

static nw_status toy_reg_write(struct nw_vcpu *vcpu, unsigned n, uint64_t value)
{
    uint32_t *at = reg(vcpu, n);

    if (!at)
        return NW_ERR_ARG;
    *at = (uint32_t)value;
    return NW_OK;
}

static const char *toy_slot(uint32_t offset, unsigned size)
{
    static const char *const names[] = {"r0",  "r1",  "r2", "r3",   "r4",          "r5",  "r6",
                                        "r7",  "r8",  "r9", "r10",  "r11",         "r12", "r13",
                                        "r14", "r15", "pc", "insn", "irq_enabled", "epc", "cause"};

    return size == 4 && offset % 4 == 0 && offset / 4 < ARRAY_LEN(names) ? names[offset / 4] : NULL;
}

/* Fewer pins than registers, so that tests see both kinds. */
static const struct guest_pin pins[] = {
    {R(1), IR_I32}, {R(2), IR_I32}, {R(3), IR_I32}, {R(4), IR_I32}};

const struct guest_ops toy_guest = {
    .name = "toy",
    .state_size = sizeof(struct toy_state),
    .pc_offset = OFF(pc),
    .aux_offset = OFF(insn),
    .addr_type = IR_I32,
    .min_insn = 4,
    .pins = pins,
    .npins = ARRAY_LEN(pins),
    .names = {toy_slot},
    .init = toy_init,
    .reset = toy_reset,
    .key = toy_key,
    .lift = toy_lift_block,
    .exception = toy_exception,
    .interrupt = toy_interrupt,
    .wakes = toy_wakes,
    .reg_read = toy_reg_read,
    .reg_write = toy_reg_write,
};
