/* The x86 guests as the engine sees them. */
#include <string.h>
#include <Zydis/Zydis.h>

#include "exec/engine.h"
#include "guest/x86/bare.h"
#include "guest/x86/debug.h"
#include "guest/x86/control.h"
#include "guest/x86/flags.h"
#include "guest/x86/front.h"
#include "guest/x86/mmu.h"
#include "guest/x86/model.h"
#include "guest/x86/mxcsr.h"
#include "guest/x86/regs.h"
#include "guest/x86/segment.h"
#include "guest/x86/system.h"

bool x86_is_user(const struct nw_vcpu *vcpu)
{
    return vcpu->engine->exceptions == NW_EXC_EXIT;
}

bool x86_is_bare(const struct nw_vcpu *vcpu)
{
    return vcpu->engine->exceptions == NW_EXC_BARE;
}

/* A flat segment of privilege level 3. */
static struct x86_segment flat_segment(uint16_t selector, unsigned type, uint32_t more)
{
    return (struct x86_segment){
        .limit = UINT32_MAX,
        .selector = selector,
        .attr = (uint16_t)(type | X86_ATTR_S | 3u << 5 | X86_ATTR_P | X86_ATTR_G | more),
    };
}

/* Selectors as Linux has them. */
static void init_segments(struct x86_state *s, bool wide)
{
    struct x86_segment data = flat_segment(0x2b, 3, X86_ATTR_DB);
    for (unsigned n = X86_ES; n <= X86_GS; n++)
        s->seg[n] = data;
    s->seg[X86_CS] = flat_segment(wide ? 0x33 : 0x23, 11, wide ? X86_ATTR_L : X86_ATTR_DB);
}

enum {
    CR0_USER = 0x80050033, /* PE, MP, ET, NE, WP, AM, PG */
    CR4_USER = 0x00040620, /* PAE, OSFXSR, OSXMMEXCPT, OSXSAVE */
    EFER_SCE = 1 << 0,
    EFER_LONG = 5 << 8, /* LME, LMA */
    EFER_NXE = 1 << 11,
};

static nw_status init(struct nw_vcpu *vcpu, const char *model)
{
    struct x86_state *s = x86_of(vcpu);
    bool wide = vcpu->guest->addr_type == IR_I64;

    memset(s, 0, sizeof *s);
    s->model = x86_model_find(model);
    if (!s->model)
        return NW_ERR_CPU;
    init_segments(s, wide);
    s->eflags = X86_IF;
    s->cr0 = CR0_USER;
    s->cr4 = CR4_USER;
    if (x86_model_has(s->model, X86_F_FSGSBASE))
        s->cr4 |= X86_CR4_FSGSBASE;
    s->efer = EFER_SCE | EFER_NXE | (wide ? EFER_LONG : 0);
    s->xcr0 = x86_model_has(s->model, X86_F_AVX) ? 7 : 3;
    if (!x86_model_has(s->model, X86_F_XSAVE)) {
        s->cr4 &= ~(uint64_t)X86_CR4_OSXSAVE;
        s->xcr0 = 1;
    }
    s->fpcw = 0x37f;
    s->dr[6] = 0xffff0ff0;
    s->dr[7] = 0x400;
    x86_mxcsr_write(vcpu, 0x1f80); /* and the mode word */
    return NW_OK;
}

static uint32_t insn_id(const char *name)
{
    for (unsigned n = ZYDIS_MNEMONIC_INVALID + 1; n <= ZYDIS_MNEMONIC_MAX_VALUE; n++)
        if (!strcmp(ZydisMnemonicGetString((ZydisMnemonic)n), name))
            return n;
    return 0;
}

static void load(struct nw_vcpu *vcpu, const void *state, uint32_t flags)
{
    struct x86_state *s = x86_of(vcpu);
    const struct x86_model *model = s->model;
    const uint32_t bare = s->bare;

    memcpy(s, state, sizeof *s);
    s->model = model;
    s->bare = bare;
    s->eflags = (s->eflags & ~(uint32_t)X86_FLAGS_ARITH) | 2;
    if (vcpu->guest->addr_type == IR_I32) {
        s->pc = (uint32_t)s->pc;
        s->efer &= ~(uint64_t)(X86_EFER_LME | X86_EFER_LMA);
    }
    if (s->halted > X86_SHUTDOWN)
        s->halted = X86_RUNNING;
    if (s->inhibit > X86_INHIBIT_SS)
        s->inhibit = 0;
    s->debug_hits &= 15;
    vcpu->fp.flags = 0;
    x86_mxcsr_write(vcpu, s->mxcsr & X86_MXCSR_MASK);
    vcpu->fp.flags = flags;
    x86_debug_changed(vcpu);
    x86_mmu_state_set(vcpu);
}

static void advance(struct nw_vcpu *vcpu, unsigned size)
{
    struct x86_state *s = x86_of(vcpu);

    s->pc = s->mode & X86_KEY_CODE64 ? s->pc + size : (uint32_t)(s->pc + size);
    s->eflags &= ~(uint32_t)X86_RF;
    s->inhibit = 0;
    x86_mode_update(s);
}

static struct block_key key(const struct nw_vcpu *vcpu)
{
    const struct x86_state *s = (const struct x86_state *)vcpu->state;
    return (struct block_key){s->pc, s->mode};
}

/* ---- names for listings ---- */

static const char *slot_name(uint32_t offset, unsigned size)
{
    static const char *const regs[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const regs32[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const struct {
        uint32_t offset;
        const char *name;
    } slots[] = {
        {X86_OFF(pc), "pc"},         {X86_OFF(cc_op), "cc_op"},   {X86_OFF(cc_dst), "cc_dst"},
        {X86_OFF(cc_src), "cc_src"}, {X86_OFF(cc_aux), "cc_aux"}, {X86_OFF(cc_cf), "cc_cf"},
        {X86_OFF(eflags), "eflags"},
    };
    static const char *const vectors[16] = {"ymm0",  "ymm1",  "ymm2",  "ymm3", "ymm4",  "ymm5",
                                            "ymm6",  "ymm7",  "ymm8",  "ymm9", "ymm10", "ymm11",
                                            "ymm12", "ymm13", "ymm14", "ymm15"};
    if (offset < sizeof(uint64_t[16]) && offset % 8 == 0)
        return size == 4 && offset < 64 ? regs32[offset / 8] : regs[offset / 8];
    for (size_t n = 0; n < ARRAY_LEN(slots); n++)
        if (slots[n].offset == offset)
            return slots[n].name;
    if (offset >= X86_OFF(ymm) && offset < X86_OFF(ymm) + 512 && offset % 32 == 0)
        return vectors[(offset - X86_OFF(ymm)) / 32];
    return NULL;
}

static const struct guest_pin pins64[] = {
    {X86_OFF_GPR(X86_RAX), IR_I64}, {X86_OFF_GPR(X86_RDX), IR_I64}, {X86_OFF_GPR(X86_RCX), IR_I64},
    {X86_OFF_GPR(X86_RSP), IR_I64}, {X86_OFF_GPR(X86_RDI), IR_I64}, {X86_OFF_GPR(X86_RSI), IR_I64},
    {X86_OFF_GPR(X86_RBX), IR_I64}, {X86_OFF_GPR(X86_RBP), IR_I64}, {X86_OFF_GPR(X86_R8), IR_I64},
};
static const struct guest_pin pins32[] = {
    {X86_OFF_GPR(X86_RAX), IR_I32}, {X86_OFF_GPR(X86_RDX), IR_I32}, {X86_OFF_GPR(X86_RCX), IR_I32},
    {X86_OFF_GPR(X86_RSP), IR_I32}, {X86_OFF_GPR(X86_RDI), IR_I32}, {X86_OFF_GPR(X86_RSI), IR_I32},
    {X86_OFF_GPR(X86_RBX), IR_I32}, {X86_OFF_GPR(X86_RBP), IR_I32},
};

#define COMMON                                                                                     \
    .state_size = sizeof(struct x86_state), .pc_offset = X86_OFF(pc), .aux_offset = UINT32_MAX,    \
    .min_insn = 1, .fp_rules = FP_RULES_X86, .names = {slot_name}, .init = init,                   \
    .reset = x86_reset, .bare = x86_bare, .key = key, .lift = x86_lift_block, .fault = x86_fault,  \
    .exception = x86_deliver, .interrupt = x86_interrupt, .wakes = x86_wakes,                      \
    .asleep = x86_asleep, .step_modes = X86_STEP_MODES, .stepped = x86_debug_stepped,              \
    .watch = x86_debug_access, .translate = x86_translate, .fetch_modes = X86_KEY_CPL,             \
    .physical_bits = X86_PHYSICAL_BITS, .insn_id = insn_id, .load = load, .advance = advance,      \
    .reg_read = x86_reg_read, .reg_write = x86_reg_write

const struct guest_ops x86_64_guest = {
    .name = "x86_64",
    .arch = NW_ARCH_X86_64,
    .models = x86_model_names,
    .addr_type = IR_I64,
    .pins = pins64,
    .npins = ARRAY_LEN(pins64),
    COMMON,
};

const struct guest_ops x86_guest = {
    .name = "x86",
    .arch = NW_ARCH_X86,
    .models = x86_model_names,
    .addr_type = IR_I32,
    .pins = pins32,
    .npins = ARRAY_LEN(pins32),
    COMMON,
};
