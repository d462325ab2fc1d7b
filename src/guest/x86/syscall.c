/* SYSCALL, SYSRET, SYSENTER and SYSEXIT on the kernel's side (SDM 2B; AMD APM 3). */
#include "guest/x86/control.h"
#include "guest/x86/flags.h"
#include "guest/x86/model.h"
#include "guest/x86/segment.h"
#include "guest/x86/sysmem.h"
#include "guest/x86/system.h"

enum { ATTR_CODE = 0x9b, ATTR_DATA = 0x93 };

/* The segments are flat whatever the descriptors say. */
static void flat_segments(struct x86_state *s, uint16_t cs, uint16_t ss, unsigned cpl, bool wide)
{
    uint32_t code = ATTR_CODE | X86_ATTR_G | cpl << 5 | (wide ? X86_ATTR_L : X86_ATTR_DB);
    uint32_t data = ATTR_DATA | X86_ATTR_G | cpl << 5 | X86_ATTR_DB;

    s->seg[X86_CS] = (struct x86_segment){
        .limit = UINT32_MAX, .selector = (uint16_t)((cs & 0xfffcu) | cpl), .attr = (uint16_t)code};
    s->seg[X86_SS] = (struct x86_segment){
        .limit = UINT32_MAX, .selector = (uint16_t)((ss & 0xfffcu) | cpl), .attr = (uint16_t)data};
}

static bool amd(const struct x86_state *s)
{
    return s->model->vendor == X86_VENDOR_AMD;
}

bool x86_syscall_enter(struct nw_vcpu *vcpu, uint64_t next)
{
    struct x86_state *s = x86_of(vcpu);
    bool code64 = s->mode & X86_KEY_CODE64;
    uint16_t cs = (uint16_t)(s->star >> 32);

    /* Intel's processors know it in 64-bit code only. */
    if (!(s->efer & X86_EFER_SCE) || !(s->mode & X86_KEY_PROT) || (!code64 && !amd(s)))
        return x86_fail(vcpu, X86_UD, 0);
    if (!x86_long(s)) {
        s->gpr[X86_RCX] = (uint32_t)(next - s->seg[X86_CS].base);
        x86_eflags_write(s, 0, X86_IF | X86_VM | X86_RF);
        flat_segments(s, cs, (uint16_t)(cs + 8), 0, false);
        s->pc = (uint32_t)s->star;
        x86_mode_update(s);
        return true;
    }
    s->gpr[X86_RCX] = code64 ? next : (uint32_t)(next - s->seg[X86_CS].base);
    s->gpr[X86_R11] = x86_eflags_read(s) & ~(uint32_t)X86_RF;
    x86_eflags_write(s, 0, (uint32_t)s->sfmask | X86_RF);
    s->step_masked = !(s->eflags & X86_TF);
    flat_segments(s, cs, (uint16_t)(cs + 8), 0, true);
    s->pc = code64 ? s->lstar : s->cstar;
    x86_mode_update(s);
    return true;
}

bool x86_sysret(struct nw_vcpu *vcpu, bool wide)
{
    struct x86_state *s = x86_of(vcpu);
    bool code64 = s->mode & X86_KEY_CODE64;
    uint16_t base = (uint16_t)(s->star >> 48);
    uint32_t flags = X86_FLAGS_ALL & ~(uint32_t)(X86_RF | X86_VM);

    if (!(s->efer & X86_EFER_SCE) || (!code64 && !amd(s)))
        return x86_fail(vcpu, X86_UD, 0);
    if (!(s->mode & X86_KEY_PROT) || x86_cpl(s) ||
        (wide && !amd(s) && !x86_canonical(s->gpr[X86_RCX])))
        return x86_fail(vcpu, X86_GP, 0);
    if (x86_long(s))
        x86_eflags_write(s, (uint32_t)s->gpr[X86_R11], flags);
    else
        x86_eflags_write(s, X86_IF, X86_IF);
    flat_segments(s, (uint16_t)(wide ? base + 16 : base), (uint16_t)(base + 8), 3, wide);
    s->pc = wide ? s->gpr[X86_RCX] : (uint32_t)s->gpr[X86_RCX];
    x86_mode_update(s);
    return true;
}

/* AMD's processors do not know the pair in long mode. */
static bool sysenter_ok(struct nw_vcpu *vcpu)
{
    const struct x86_state *s = x86_of(vcpu);

    if (amd(s) && x86_long(s))
        return x86_fail(vcpu, X86_UD, 0);
    if (!(s->mode & X86_KEY_PROT) || !(s->sysenter_cs & 0xfffc))
        return x86_fail(vcpu, X86_GP, 0);
    return true;
}

bool x86_sysenter(struct nw_vcpu *vcpu)
{
    struct x86_state *s = x86_of(vcpu);
    uint16_t cs = (uint16_t)s->sysenter_cs;
    bool wide = x86_long(s);

    if (!sysenter_ok(vcpu))
        return false;
    x86_eflags_write(s, 0, X86_VM | X86_IF | X86_RF);
    flat_segments(s, cs, (uint16_t)(cs + 8), 0, wide);
    s->gpr[X86_RSP] = wide ? s->sysenter_esp : (uint32_t)s->sysenter_esp;
    s->pc = wide ? s->sysenter_eip : (uint32_t)s->sysenter_eip;
    x86_mode_update(s);
    return true;
}

bool x86_sysexit(struct nw_vcpu *vcpu, bool wide)
{
    struct x86_state *s = x86_of(vcpu);
    uint16_t cs = (uint16_t)(s->sysenter_cs + (wide ? 32 : 16));

    if (!sysenter_ok(vcpu))
        return false;
    if (x86_cpl(s) ||
        (wide && (!x86_canonical(s->gpr[X86_RCX]) || !x86_canonical(s->gpr[X86_RDX]))))
        return x86_fail(vcpu, X86_GP, 0);
    flat_segments(s, cs, (uint16_t)(cs + 8), 3, wide);
    s->gpr[X86_RSP] = wide ? s->gpr[X86_RCX] : (uint32_t)s->gpr[X86_RCX];
    s->pc = wide ? s->gpr[X86_RDX] : (uint32_t)s->gpr[X86_RDX];
    x86_mode_update(s);
    return true;
}
