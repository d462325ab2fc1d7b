/* Control, debug and model-specific registers, descriptor-table registers, caches and TLBs (SDM 3A
 * 2.8). What the instructions check is in control.c, debug.c and msr.c. */
#include "guest/x86/control.h"
#include "guest/x86/debug.h"
#include "guest/x86/lift.h"
#include "guest/x86/mmu.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"

/* True: #GP(0) has been raised. */
static bool unprivileged(struct x86_lift *l)
{
    if (!l->cpl)
        return false;
    x86_gp0(l);
    return true;
}

static unsigned native_bits(const struct x86_lift *l)
{
    return l->bits == 64 ? 64 : 32;
}

/* ---- MOV ---- */

static uint64_t cr_write_helper(struct nw_vcpu *vcpu, uint64_t n, uint64_t value, uint64_t unused1,
                                uint64_t unused2)
{
    (void)unused1, (void)unused2;
    x86_cr_write(vcpu, (unsigned)n, value);
    return 0;
}

static uint32_t cr_slot(unsigned n)
{
    switch (n) {
    case 0: return X86_OFF(cr0);
    case 2: return X86_OFF(cr2);
    case 3: return X86_OFF(cr3);
    case 4: return X86_OFF(cr4);
    default: return X86_OFF(cr8);
    }
}

void x86_mov_control(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(cr_write, cr_write_helper, 2);
    bool write = ZydisRegisterGetClass(i->op[0].reg.value) == ZYDIS_REGCLASS_CONTROL;
    unsigned n = (unsigned)(i->op[!write].reg.value - ZYDIS_REGISTER_CR0);
    unsigned bits = native_bits(l);
    enum ir_type t = x86_type(bits);

    if (n == 1 || n == 5 || n == 6 || n == 7 || n > 8) {
        x86_undefined(l);
        return;
    }
    if (unprivileged(l))
        return;
    if (!write) {
        x86_reg_put(l, i->op[0].reg.value, ir_get(l->b, t, cr_slot(n)));
        return;
    }
    ir_val v = x86_zext(l, x86_reg_get(l, i->op[1].reg.value), bits, 64);
    x86_call(l, &cr_write, ir_const32(l->b, n), v, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

static uint64_t dr_read_helper(struct nw_vcpu *vcpu, uint64_t n, uint64_t unused1, uint64_t unused2,
                               uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    uint64_t value = 0;

    x86_dr_read(vcpu, (unsigned)n, &value);
    return value;
}

static uint64_t dr_write_helper(struct nw_vcpu *vcpu, uint64_t n, uint64_t value, uint64_t unused1,
                                uint64_t unused2)
{
    (void)unused1, (void)unused2;
    x86_dr_write(vcpu, (unsigned)n, value);
    return 0;
}

void x86_mov_debug(struct x86_lift *l, const struct x86_insn *i)
{
    static const struct ir_helper dr_read = {"x86_dr_read", dr_read_helper,
                                             IR_H_READS | IR_H_WRITES | IR_H_EXITS, IR_I64, 1};
    X86_HELPER(dr_write, dr_write_helper, 2);
    bool write = ZydisRegisterGetClass(i->op[0].reg.value) == ZYDIS_REGCLASS_DEBUG;
    unsigned n = (unsigned)(i->op[!write].reg.value - ZYDIS_REGISTER_DR0);
    unsigned bits = native_bits(l);

    if (n > 7) {
        x86_undefined(l);
        return;
    }
    if (unprivileged(l))
        return;
    if (!write) {
        ir_val v = x86_call(l, &dr_read, ir_const32(l->b, n), IR_NONE, IR_NONE, IR_NONE);
        x86_reg_put(l, i->op[0].reg.value, x86_zext(l, v, 64, bits));
        return;
    }
    ir_val v = x86_zext(l, x86_reg_get(l, i->op[1].reg.value), bits, 64);
    x86_call(l, &dr_write, ir_const32(l->b, n), v, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

/* ---- the machine status word, CLTS ---- */

void x86_smsw(struct x86_lift *l, const struct x86_insn *i)
{
    unsigned bits = i->op[0].size;

    x86_umip_check(l);
    ir_val v = ir_get(l->b, IR_I32, X86_OFF(cr0));
    x86_write(l, 0, x86_zext(l, v, 32, bits));
}

static uint64_t lmsw_helper(struct nw_vcpu *vcpu, uint64_t value, uint64_t unused1,
                            uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    uint64_t cr0 = x86_of(vcpu)->cr0;

    /* PE can be set only (SDM 2A, LMSW). */
    x86_cr_write(vcpu, 0, (cr0 & ~14ull) | (value & 15));
    return 0;
}

void x86_lmsw(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(lmsw, lmsw_helper, 1);
    const ZydisDecodedOperand *op = &i->op[0];

    if (unprivileged(l))
        return;
    ir_val v = op->type == ZYDIS_OPERAND_TYPE_MEMORY
                   ? x86_load(l, x86_address(l, op, false), 16, 0)
                   : x86_zext(l, x86_reg_get(l, op->reg.value), op->size, 16);
    x86_call(l, &lmsw, v, IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

static uint64_t clts_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                            uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);

    s->cr0 &= ~(uint64_t)X86_CR0_TS;
    x86_mode_update(s);
    return 0;
}

void x86_clts(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(clts, clts_helper, 0);
    (void)i;
    if (unprivileged(l))
        return;
    x86_call(l, &clts, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

/* ---- descriptor-table registers ---- */

enum { TABLE_GDT, TABLE_IDT };

static uint32_t table_slot(uint32_t which)
{
    return which == TABLE_GDT ? X86_OFF(gdtr) : X86_OFF(idtr);
}

/* SGDT, SIDT: argument is the table. */
void x86_store_table(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t slot = table_slot(i->row->arg);
    unsigned bits = native_bits(l);

    x86_umip_check(l);
    ir_val limit = x86_cut(l, ir_get(l->b, IR_I32, slot + offsetof(struct x86_table, limit)), 16);
    ir_val base = ir_get(l->b, x86_type(bits), slot + offsetof(struct x86_table, base));
    ir_val addr = x86_address(l, &i->op[0], true), next = x86_address_add(l, addr, 2);
    x86_probe_write(l, next, bits);
    x86_store(l, addr, limit, 16, 0);
    x86_store(l, next, base, bits, 0);
}

/* LGDT, LIDT: argument is the table. With 16-bit operands the base has 24 bits. */
void x86_load_table(struct x86_lift *l, const struct x86_insn *i)
{
    uint32_t slot = table_slot(i->row->arg);
    unsigned bits = native_bits(l);

    if (unprivileged(l))
        return;
    ir_val addr = x86_address(l, &i->op[0], false);
    ir_val limit = x86_load(l, addr, 16, 0);
    ir_val base = x86_load(l, x86_address_add(l, addr, 2), bits, 0);
    if (bits == 64) {
        ir_val sixteen = ir_const32(l->b, 16);
        ir_val sign = ir_sar(l->b, IR_I64, ir_shl(l->b, IR_I64, base, sixteen), sixteen);
        x86_exception_if(l, ir_cmp(l->b, IR_NE, IR_I64, sign, base), X86_GP, 0);
    } else if (i->z.operand_width == 16) {
        base = ir_and(l->b, IR_I32, base, ir_const32(l->b, 0xffffff));
    }
    ir_put(l->b, IR_I32, slot + offsetof(struct x86_table, limit), limit);
    ir_put(l->b, IR_I64, slot + offsetof(struct x86_table, base), x86_zext(l, base, bits, 64));
}

/* ---- caches and TLBs ---- */

static uint64_t invlpg_helper(struct nw_vcpu *vcpu, uint64_t addr, uint64_t unused1,
                              uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    x86_mmu_flush_page(vcpu, addr);
    return 0;
}

void x86_invlpg(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(invlpg, invlpg_helper, 1);
    const ZydisDecodedOperand *op = &i->op[0];
    unsigned bits = x86_addr_bits(l), seg = x86_operand_segment(op);
    enum ir_type t = l->word;

    if (unprivileged(l))
        return;
    /* Neither limit nor presence counts: there is no access. */
    ir_val addr = x86_zext(l, x86_effective(l, op), bits, t == IR_I64 ? 64 : 32);
    if (l->bits != 64 || seg == X86_FS || seg == X86_GS) {
        uint32_t base = X86_OFF(seg[0].base) + seg * (uint32_t)sizeof(struct x86_segment);
        addr = ir_add(l->b, t, addr, ir_get(l->b, t, base));
    }
    x86_call(l, &invlpg, addr, IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

static uint64_t invpcid_helper(struct nw_vcpu *vcpu, uint64_t type, uint64_t pcid, uint64_t addr,
                               uint64_t unused)
{
    (void)unused;
    bool on = x86_of(vcpu)->cr4 & X86_CR4_PCIDE;

    if (type > 3 || (type < 2 && (pcid >> 12 || (pcid && !on))) ||
        (type == 0 && !x86_canonical(addr)))
        x86_raise(vcpu, X86_GP, 0);
    else
        x86_mmu_flush(vcpu);
    return 0;
}

void x86_invpcid(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(invpcid, invpcid_helper, 3);

    if (unprivileged(l))
        return;
    ir_val addr = x86_address(l, &i->op[1], false);
    ir_val pcid = x86_load(l, addr, 64, 0);
    ir_val linear = x86_load(l, x86_address_add(l, addr, 8), 64, 0);
    ir_val type = x86_zext(l, x86_reg_get(l, i->op[0].reg.value), i->op[0].size, 64);
    x86_call(l, &invpcid, type, pcid, linear, IR_NONE);
    x86_leave_state(l);
}

/* INVD, WBINVD: memory is coherent here. */
void x86_cache_all(struct x86_lift *l, const struct x86_insn *i)
{
    (void)i;
    unprivileged(l);
}

/* ---- model-specific registers, XCR0, counters ---- */

static uint64_t rdmsr_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    uint64_t value;

    if (x86_msr_read(vcpu, (uint32_t)s->gpr[X86_RCX], &value)) {
        s->gpr[X86_RAX] = (uint32_t)value;
        s->gpr[X86_RDX] = value >> 32;
    }
    return 0;
}

static uint64_t edx_eax(const struct x86_state *s)
{
    return s->gpr[X86_RDX] << 32 | (uint32_t)s->gpr[X86_RAX];
}

static uint64_t wrmsr_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    const struct x86_state *s = x86_of(vcpu);

    x86_msr_write(vcpu, (uint32_t)s->gpr[X86_RCX], edx_eax(s));
    return 0;
}

/* RDMSR (argument 0), WRMSR (1). */
void x86_msr(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(rdmsr, rdmsr_helper, 0);
    X86_HELPER(wrmsr, wrmsr_helper, 0);

    if (unprivileged(l))
        return;
    x86_call(l, i->row->arg ? &wrmsr : &rdmsr, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    if (i->row->arg)
        x86_leave_state(l);
}

static uint64_t xsetbv_helper(struct nw_vcpu *vcpu, uint64_t cpl, uint64_t unused1,
                              uint64_t unused2, uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    const struct x86_state *s = x86_of(vcpu);

    if (!(s->cr4 & X86_CR4_OSXSAVE))
        x86_raise(vcpu, X86_UD, 0);
    else if (cpl)
        x86_raise(vcpu, X86_GP, 0);
    else
        x86_xcr_write(vcpu, (uint32_t)s->gpr[X86_RCX], edx_eax(s));
    return 0;
}

void x86_xsetbv(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(xsetbv, xsetbv_helper, 1);
    (void)i;
    x86_call(l, &xsetbv, ir_const32(l->b, l->cpl), IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}

static uint64_t rdpmc_helper(struct nw_vcpu *vcpu, uint64_t unused0, uint64_t unused1,
                             uint64_t unused2, uint64_t unused3)
{
    (void)unused0, (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);
    bool allowed = !x86_cpl(s) || s->cr4 & X86_CR4_PCE;

    /* AMD's have four counters always; these never count. */
    if (!allowed || s->model->vendor != X86_VENDOR_AMD || (uint32_t)s->gpr[X86_RCX] > 3)
        x86_raise(vcpu, X86_GP, 0);
    else
        s->gpr[X86_RAX] = s->gpr[X86_RDX] = 0;
    return 0;
}

void x86_rdpmc(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(rdpmc, rdpmc_helper, 0);
    (void)i;
    x86_call(l, &rdpmc, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* ---- EFLAGS.AC as SMAP uses it ---- */

static uint64_t smap_helper(struct nw_vcpu *vcpu, uint64_t set, uint64_t unused1, uint64_t unused2,
                            uint64_t unused3)
{
    (void)unused1, (void)unused2, (void)unused3;
    struct x86_state *s = x86_of(vcpu);

    s->eflags = set ? s->eflags | X86_AC : s->eflags & ~(uint32_t)X86_AC;
    x86_mode_update(s);
    return 0;
}

/* CLAC (argument 0), STAC (1). */
void x86_smap(struct x86_lift *l, const struct x86_insn *i)
{
    X86_HELPER(smap, smap_helper, 1);
    if (l->cpl) {
        x86_undefined(l);
        return;
    }
    x86_call(l, &smap, ir_const32(l->b, i->row->arg), IR_NONE, IR_NONE, IR_NONE);
    x86_leave_state(l);
}
