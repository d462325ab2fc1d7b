/* IN, OUT, INS, OUTS: see io.c; and random numbers (SDM 1 7.3.16). */
#include "guest/x86/io.h"
#include "guest/x86/lift.h"

#include <cpuid.h>
#include <x86intrin.h>

/* Added to what the helpers return when somebody has asked for the vCPU's attention: the device,
 * most likely, with an interrupt that comes right behind the instruction. */
#define ATTENTION (1ull << 32)

static uint64_t attention(struct nw_vcpu *vcpu)
{
    return atomic_load_explicit(&vcpu->request, memory_order_relaxed) ? ATTENTION : 0;
}

static uint64_t in_helper(struct nw_vcpu *vcpu, uint64_t port, uint64_t size, uint64_t unused1,
                          uint64_t unused2)
{
    (void)unused1, (void)unused2;
    uint32_t value = 0;

    x86_io_in(vcpu, (uint16_t)port, (unsigned)size, &value);
    return value | attention(vcpu);
}

static uint64_t out_helper(struct nw_vcpu *vcpu, uint64_t port, uint64_t size, uint64_t value,
                           uint64_t unused)
{
    (void)unused;
    x86_io_out(vcpu, (uint16_t)port, (unsigned)size, (uint32_t)value);
    return attention(vcpu);
}

/* The block ends when RESULT says so. */
static void leave_for_attention(struct x86_lift *l, ir_val result)
{
    uint32_t label = ir_label_new(l->b);

    ir_skip_ifnot(l->b, ir_trunc(l->b, IR_I32, ir_ubfx(l->b, IR_I64, result, 32, 1)), label);
    x86_leave_state(l);
    ir_label(l->b, label);
    l->ended = false;
}

static ir_val port_of(struct x86_lift *l, const ZydisDecodedOperand *op)
{
    if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return ir_const32(l->b, (uint32_t)op->imm.value.u & 0xff);
    return x86_gpr_get(l, X86_RDX, 16);
}

void x86_in(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_in", in_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_I64, 2};
    ir_val size = ir_const32(l->b, i->op[0].size / 8u);
    ir_val v = x86_call(l, &helper, port_of(l, &i->op[1]), size, IR_NONE, IR_NONE);

    x86_reg_put(l, i->op[0].reg.value, x86_zext(l, v, 64, i->op[0].size));
    leave_for_attention(l, v);
}

void x86_out(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_out", out_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_I64, 3};
    ir_val size = ir_const32(l->b, i->op[1].size / 8u);

    leave_for_attention(l, x86_call(l, &helper, port_of(l, &i->op[0]), size,
                                    x86_reg_get(l, i->op[1].reg.value), IR_NONE));
}

static uint64_t string_helper(struct nw_vcpu *vcpu, uint64_t what, uint64_t next, uint64_t unused1,
                              uint64_t unused2)
{
    (void)unused1, (void)unused2;
    struct x86_state *s = x86_of(vcpu);
    struct x86_io_string io = {.size = what & 7,
                               .in = what >> 3 & 1,
                               .rep = what >> 4 & 1,
                               .seg = what >> 5 & 7,
                               .addr_bits = (uint8_t)(what >> 8)};

    if (x86_io_string(vcpu, &io))
        s->pc = next;
    return 0;
}

/* INSB, INSW, INSD, OUTSB, OUTSW, OUTSD: argument is the size in bytes, and 8 for INS. A repeated
 * one that is interrupted starts over with what is left. */
void x86_string_io(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_string_io", string_helper,
                                            IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_VOID, 2};
    bool rep =
        i->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    unsigned seg = X86_DS;

    for (unsigned n = 0; n < i->z.operand_count; n++)
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY)
            seg = x86_operand_segment(&i->op[n]);
    uint32_t what = i->row->arg | (rep ? 16u : 0) | seg << 5 | x86_addr_bits(l) << 8;
    x86_call(l, &helper, ir_const32(l->b, what), ir_const64(l->b, l->next), IR_NONE, IR_NONE);
    x86_leave_to_state(l);
}

/* ---- RDRAND, RDSEED ---- */

__attribute__((target("rdrnd"))) static bool host_random(uint64_t *out)
{
    unsigned long long v;

    for (unsigned n = 0; n < 100; n++)
        if (_rdrand64_step(&v)) {
            *out = v;
            return true;
        }
    return false;
}

static bool host_has_rdrand(void)
{
    unsigned eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_RDRND;
}

static uint64_t random_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                              uint64_t unused2, uint64_t unused3)
{
    (void)vcpu, (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    uint64_t v;

    if (host_has_rdrand() && host_random(&v))
        return v;
    /* A host without it: the counter, stirred. */
    v = __rdtsc() * 0x9e3779b97f4a7c15u;
    v = (v ^ v >> 31) * 0xbf58476d1ce4e5b9u;
    return v ^ v >> 29;
}

void x86_random(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper helper = {"x86_random", random_helper, IR_H_READS, IR_I64, 0};
    unsigned bits = i->op[0].size;
    ir_val v = x86_call(l, &helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);

    x86_reg_put(l, i->op[0].reg.value, x86_zext(l, v, 64, bits));
    x86_cc_set_flags(l, ir_const32(l->b, X86_CF));
}
