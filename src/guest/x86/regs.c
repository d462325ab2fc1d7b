/* Registers by number: see narwhal/x86.h. */
#include "guest/x86/regs.h"

#include <string.h>
#include <narwhal/x86.h>
#include "guest/x86/debug.h"
#include "guest/x86/flags.h"
#include "guest/x86/mmu.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/system.h"
#include "guest/x86/x87.h"

/* The registers that are one plain 64-bit word of the state. */
static uint64_t *plain(struct x86_state *s, unsigned reg)
{
    if (reg < 16)
        return &s->gpr[reg];
    if (reg >= NW_X86_DR0 && reg < NW_X86_DR0 + 8)
        return &s->dr[reg - NW_X86_DR0];
    if (reg >= NW_X86_ES_BASE && reg < NW_X86_ES_BASE + X86_SEGS)
        return &s->seg[reg - NW_X86_ES_BASE].base;
    switch (reg) {
    case NW_X86_XCR0: return &s->xcr0;
    case NW_X86_EFER: return &s->efer;
    case NW_X86_GDTR_BASE: return &s->gdtr.base;
    case NW_X86_IDTR_BASE: return &s->idtr.base;
    case NW_X86_KERNEL_GS_BASE: return &s->kernel_gs_base;
    case NW_X86_CR0: return &s->cr0;
    case NW_X86_CR0 + 2: return &s->cr2;
    case NW_X86_CR0 + 3: return &s->cr3;
    case NW_X86_CR0 + 4: return &s->cr4;
    case NW_X86_CR0 + 8: return &s->cr8;
    default: return NULL;
    }
}

static uint32_t *plain32(struct x86_state *s, unsigned reg)
{
    if (reg >= NW_X86_ES_LIMIT && reg < NW_X86_ES_LIMIT + X86_SEGS)
        return &s->seg[reg - NW_X86_ES_LIMIT].limit;
    switch (reg) {
    case NW_X86_GDTR_LIMIT: return &s->gdtr.limit;
    case NW_X86_IDTR_LIMIT: return &s->idtr.limit;
    default: return NULL;
    }
}

static uint16_t *plain16(struct x86_state *s, unsigned reg)
{
    if (reg >= NW_X86_ES && reg < NW_X86_ES + X86_SEGS)
        return &s->seg[reg - NW_X86_ES].selector;
    if (reg >= NW_X86_ES_ATTR && reg < NW_X86_ES_ATTR + X86_SEGS)
        return &s->seg[reg - NW_X86_ES_ATTR].attr;
    switch (reg) {
    case NW_X86_FPCW: return &s->fpcw;
    case NW_X86_FPSW: return &s->fpsw;
    default: return NULL;
    }
}

/* The part of x87 and vector registers that REG names, in bytes; null: none. */
static uint8_t *bytes(struct x86_state *s, unsigned reg, unsigned *size)
{
    unsigned top = s->fpsw >> 11 & 7;
    *size = 8;
    if (reg >= NW_X86_YMM0 && reg < NW_X86_REG_END)
        return s->ymm[(reg - NW_X86_YMM0) / 4] + 8 * ((reg - NW_X86_YMM0) % 4);
    if (reg >= NW_X86_ST0 && reg < NW_X86_ST0 + 8)
        return s->fpr[(reg - NW_X86_ST0 + top) & 7];
    *size = 2;
    if (reg >= NW_X86_ST0_EXP && reg < NW_X86_ST0_EXP + 8)
        return s->fpr[(reg - NW_X86_ST0_EXP + top) & 7] + 8;
    return NULL;
}

nw_status x86_reg_read(struct nw_vcpu *vcpu, unsigned reg, uint64_t *value)
{
    struct x86_state *s = x86_of(vcpu);
    unsigned size;
    const uint8_t *part = bytes(s, reg, &size);

    *value = 0;
    if (plain(s, reg))
        *value = *plain(s, reg);
    else if (plain32(s, reg))
        *value = *plain32(s, reg);
    else if (plain16(s, reg))
        *value = *plain16(s, reg);
    else if (part)
        memcpy(value, part, size);
    else if (reg == NW_X86_RIP)
        *value = s->mode & X86_KEY_CODE64 ? s->pc : (uint32_t)(s->pc - s->seg[X86_CS].base);
    else if (reg == NW_X86_RFLAGS)
        *value = x86_eflags_read(s);
    else if (reg == NW_X86_MXCSR)
        *value = x86_mxcsr_read(vcpu);
    else if (reg == NW_X86_FPTAG)
        *value = x87_tag_word(s);
    else
        return NW_ERR_ARG;
    return NW_OK;
}

static void write_rip(struct x86_state *s, uint64_t value)
{
    s->pc = s->mode & X86_KEY_CODE64 ? value : (uint32_t)(value + s->seg[X86_CS].base);
    s->halted = X86_RUNNING;
}

static nw_status write_special(struct nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    switch (reg) {
    case NW_X86_RIP: write_rip(s, value); return NW_OK;
    case NW_X86_RFLAGS: x86_eflags_write(s, (uint32_t)value, X86_FLAGS_ALL); return NW_OK;
    case NW_X86_MXCSR:
        if (value & ~(uint64_t)X86_MXCSR_MASK)
            return NW_ERR_ARG;
        x86_mxcsr_write(vcpu, (uint32_t)value);
        return NW_OK;
    case NW_X86_FPTAG: s->fptag = x87_tags((unsigned)value); return NW_OK;
    default: return NW_ERR_ARG;
    }
}

nw_status x86_reg_write(struct nw_vcpu *vcpu, unsigned reg, uint64_t value)
{
    struct x86_state *s = x86_of(vcpu);
    bool real = !(s->mode & X86_KEY_PROT) || s->mode & X86_KEY_VM86;
    unsigned size;
    uint8_t *part = bytes(s, reg, &size);
    nw_status status = NW_OK;

    if (plain(s, reg))
        *plain(s, reg) = reg < 16 && vcpu->guest->addr_type == IR_I32 ? (uint32_t)value : value;
    else if (plain32(s, reg))
        *plain32(s, reg) = (uint32_t)value;
    else if (plain16(s, reg))
        *plain16(s, reg) = (uint16_t)value;
    else if (part)
        memcpy(part, &value, size);
    else
        status = write_special(vcpu, reg, value);
    if (real && reg >= NW_X86_ES && reg <= NW_X86_ES + X86_GS)
        s->seg[reg - NW_X86_ES].base = (uint16_t)value * 16u;
    if (vcpu->guest->addr_type == IR_I32)
        s->efer &= ~(uint64_t)(X86_EFER_LME | X86_EFER_LMA);
    if (reg == NW_X86_EFER || (reg >= NW_X86_CR0 && reg <= NW_X86_CR0 + 4))
        x86_mmu_state_set(vcpu);
    x86_debug_changed(vcpu);
    return status;
}
