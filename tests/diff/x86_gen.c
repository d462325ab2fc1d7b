#include "x86_gen.h"

#include <string.h>
#include "x86_values.h"

/* GS of 64-bit code: the high page is within the reach of small displacements. */
#define GS_BASE64 (CASE_HIGH - 0x800)

uint64_t gen_seg_base(unsigned bits, ZydisRegister seg)
{
    if (seg == ZYDIS_REGISTER_FS)
        return CASE_FS_BASE32;
    if (seg == ZYDIS_REGISTER_GS)
        return bits == 64 ? GS_BASE64 : CASE_GS_BASE32;
    return 0;
}

/* ---- encodings ---- */

static unsigned put_vex(struct gen *g, const struct form *form, uint8_t *b)
{
    struct rng *r = &g->r;
    bool wide = g->forms->bits == 64;
    unsigned rxb = wide ? below(r, 8) : 7, v = wide ? below(r, 16) : 8 + below(r, 8), n = 0;
    unsigned pp = form->prefix == 0x66   ? 1
                  : form->prefix == 0xf3 ? 2
                  : form->prefix == 0xf2 ? 3
                                         : 0;

    if (below(r, 3) == 0)
        v = 15; /* where there is no such operand */
    if (form->map == 1 && !form->w && (rxb & 3) == 3 && below(r, 2)) {
        b[n++] = 0xc5;
        b[n++] = (uint8_t)((rxb & 4) << 5 | v << 3 | form->l << 2 | pp);
    } else {
        b[n++] = 0xc4;
        b[n++] = (uint8_t)(rxb << 5 | form->map);
        b[n++] = (uint8_t)(form->w << 7 | v << 3 | form->l << 2 | pp);
    }
    return n;
}

/* Prefixes that the form does not ask for. */
static unsigned put_extras(struct gen *g, const struct form *form, bool lock, uint8_t *b)
{
    struct rng *r = &g->r;
    static const uint8_t segments[] = {0x64, 0x65, 0x64, 0x65, 0x26, 0x2e, 0x36, 0x3e};
    unsigned n = 0;

    if (below(r, 12) == 0)
        b[n++] = segments[below(r, 8)];
    if (below(r, 12) == 0)
        b[n++] = 0x67;
    if (lock)
        b[n++] = 0xf0;
    if (!form->vex && !form->prefix && below(r, 32) == 0)
        b[n++] = (uint8_t[]){0xf2, 0xf3, 0x66}[below(r, 3)];
    return n;
}

static unsigned put_legacy(struct gen *g, const struct form *form, uint8_t *b)
{
    struct rng *r = &g->r;
    unsigned n = 0, rex = form->w ? 0x48 : 0;

    if (form->prefix)
        b[n++] = form->prefix;
    if (g->forms->bits == 64 && below(r, 2))
        rex |= 0x40 | below(r, 8);
    if (rex)
        b[n++] = (uint8_t)rex;
    if (form->map)
        b[n++] = 0x0f;
    if (form->map > 1)
        b[n++] = form->map == 2 ? 0x38 : 0x3a;
    return n;
}

/* Another ModRM byte that means the same instruction. */
static uint8_t vary_modrm(struct gen *g, const struct form *form)
{
    unsigned modrm = form->modrm;

    if (modrm >> 6 == 3)
        return (uint8_t)(form->any_rm ? (modrm & 0xf8) | below(&g->r, 8) : modrm);
    modrm = (modrm & 0x38) | below(&g->r, 3) << 6;
    return (uint8_t)(modrm | (below(&g->r, 3) ? below(&g->r, 8) : 4));
}

static void random_tail(struct gen *g, uint8_t *b, unsigned size)
{
    uint64_t v = next(&g->r);

    for (unsigned i = 0; i < size; i++)
        b[i] = (uint8_t)(next(&g->r) >> 33);
    if (below(&g->r, 3) == 0)
        b[0] = (uint8_t)(0x24 | (v & 0xdb)); /* SIB: index or base with rsp */
}

static bool try_encode(struct gen *g, const struct form *form, bool extras, bool lock,
                       struct gen_insn *out)
{
    uint8_t *b = out->bytes, raw[48];
    unsigned n = extras ? put_extras(g, form, lock, raw) : 0;

    n += form->vex ? put_vex(g, form, raw + n) : put_legacy(g, form, raw + n);
    raw[n++] = form->opcode;
    if (form->has_modrm)
        raw[n++] = vary_modrm(g, form);
    random_tail(g, raw + n, 15);
    if (!forms_decode(g->forms, raw, 15, &out->z, out->op))
        return false;
    memset(b, 0xcc, GEN_MAX);
    memcpy(b, raw, out->z.length);
    return true;
}

static void put_bytes(uint8_t *at, uint64_t v, unsigned bits)
{
    memcpy(at, &v, bits / 8);
}

/* An address for an access of SIZE bytes; LOW: below 64 KiB. */
static uint64_t pick_address(struct gen *g, unsigned size, bool low)
{
    struct rng *r = &g->r;
    unsigned cut = below(r, size + 2);
    uint64_t a;

    switch (below(r, 64)) {
    case 0: return CASE_RO - cut;
    case 1: return CASE_RO + CASE_RO_SIZE - cut;
    case 2: return CASE_LOW - cut;
    case 3: return CASE_RO + below(r, CASE_RO_SIZE);
    case 4: return below(r, 2) ? below(r, CASE_LOW) : CASE_RO + CASE_RO_SIZE + below(r, 0x4000);
    case 5:
        return low ? CASE_LOW : below(r, 2) ? CASE_HIGH - cut : CASE_HIGH + CASE_HIGH_SIZE - cut;
    case 6: return low ? 0xffff - below(r, 8) : next(r);
    case 7:
    case 8:
    case 9: return CASE_LOW + CASE_PAGE - cut;
    default: break;
    }
    if (!low && below(r, 5) == 0)
        a = CASE_HIGH + below(r, CASE_HIGH_SIZE - 64);
    else
        a = CASE_LOW + 64 + below(r, CASE_LOW_SIZE - 128 - (size < 2048 ? size : 2048));
    if (size > 1 && below(r, 4))
        a &= ~(uint64_t)(size >= 64 ? 63 : size - 1);
    return a;
}

static unsigned operand_size(const struct gen_insn *i, const ZydisDecodedOperand *o)
{
    switch (i->z.mnemonic) {
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64: return 512;
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64:
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64: return 1024;
    default: return o->size >= 8 ? o->size / 8u : 1;
    }
}

/* Displacements that reach the data by themselves: absolute ones and those from RIP. */
static void patch_displacement(struct gen *g, struct gen_insn *i)
{
    unsigned at = i->z.raw.disp.offset, bits = i->z.raw.disp.size, n = 0;
    const ZydisDecodedOperand *o;

    while (n < i->z.operand_count && i->op[n].type != ZYDIS_OPERAND_TYPE_MEMORY)
        n++;
    if (n == i->z.operand_count || !bits)
        return;
    o = &i->op[n];
    bool rip = o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP;
    if (!rip && (o->mem.base || o->mem.index)) {
        if (bits == 32 && below(&g->r, 2))
            put_bytes(i->bytes + at, (uint64_t)(int64_t)(int32_t)(below(&g->r, 512) - 256), 32);
        return;
    }
    bool gs64 = g->forms->bits == 64 && o->mem.segment == ZYDIS_REGISTER_GS;
    uint64_t a = pick_address(g, operand_size(i, o), bits < 64 && !gs64);
    if (gs64 && bits < 64)
        a = CASE_HIGH + below(&g->r, CASE_HIGH_SIZE);
    a -= gen_seg_base(g->forms->bits, o->mem.segment);
    if (rip)
        a -= i->addr + i->z.length;
    put_bytes(i->bytes + at, a, bits);
}

static void patch_immediates(struct gen *g, struct gen_insn *i)
{
    for (unsigned n = 0; n < 2; n++) {
        unsigned at = i->z.raw.imm[n].offset, bits = i->z.raw.imm[n].size;
        uint64_t v = value_int(&g->r);

        if (!bits || (bits == 8 && i->z.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX))
            continue;
        if (i->z.raw.imm[n].is_relative) {
            v = i->near + below(&g->r, 8) - (i->addr + i->z.length);
            if (bits > 8 && below(&g->r, 16) == 0)
                v = next(&g->r);
        } else if (bits > 8 && below(&g->r, 3) == 0) {
            v = (uint64_t)(int64_t)(int8_t)v;
        }
        put_bytes(i->bytes + at, v, bits);
    }
}

bool gen_encode(struct gen *g, const struct bucket *b, struct gen_insn *out)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        const struct form *form = &b->forms[below(&g->r, b->nforms)];

        if (!try_encode(g, form, false, false, out) || out->z.mnemonic != b->mnemonic)
            continue;
        bool lock = out->z.attributes & ZYDIS_ATTRIB_ACCEPTS_LOCK && below(&g->r, 4) == 0;
        if ((lock || below(&g->r, 4) == 0) &&
            (!try_encode(g, form, true, lock, out) || out->z.mnemonic != b->mnemonic))
            continue;
        patch_displacement(g, out);
        patch_immediates(g, out);
        if (forms_decode(g->forms, out->bytes, 15, &out->z, out->op) &&
            out->z.mnemonic == b->mnemonic)
            return true;
    }
    return false;
}

/* ---- states ---- */

/* The general register behind R, or -1. */
static int gpr_of(ZydisRegister r, unsigned *bits)
{
    *bits = 0;
    if (r >= ZYDIS_REGISTER_RAX && r <= ZYDIS_REGISTER_R15) {
        *bits = 64;
        return (int)(r - ZYDIS_REGISTER_RAX);
    }
    if (r >= ZYDIS_REGISTER_EAX && r <= ZYDIS_REGISTER_R15D) {
        *bits = 32;
        return (int)(r - ZYDIS_REGISTER_EAX);
    }
    if (r >= ZYDIS_REGISTER_AX && r <= ZYDIS_REGISTER_R15W) {
        *bits = 16;
        return (int)(r - ZYDIS_REGISTER_AX);
    }
    return -1;
}

static uint64_t reg_value(const struct case_state *s, ZydisRegister r)
{
    unsigned bits;
    int n = gpr_of(r, &bits);

    if (r == ZYDIS_REGISTER_AL)
        return s->gpr[RAX] & 0xff;
    if (n < 0)
        return 0;
    return bits == 64 ? s->gpr[n] : s->gpr[n] & ((1ull << bits) - 1);
}

/* What the address size leaves out keeps its random value. */
static void set_reg(struct case_state *s, ZydisRegister r, uint64_t v)
{
    unsigned bits;
    int n = gpr_of(r, &bits);
    uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;

    if (n >= 0)
        s->gpr[n] = (s->gpr[n] & ~mask) | (v & mask);
}

struct fit {
    struct gen *g;
    const struct gen_insn *i;
    struct case_state *s;
    uint8_t *data;
    uint32_t taken; /* general registers that have their values */
};

static bool take_reg(struct fit *f, ZydisRegister r)
{
    unsigned bits;
    int n = gpr_of(r, &bits);

    if (n < 0 || f->taken >> n & 1)
        return false;
    f->taken |= 1u << n;
    return true;
}

/* Elements of a gather's index, all near BASE. */
static void fit_vsib(struct fit *f, const ZydisDecodedOperand *o, uint64_t want)
{
    struct rng *r = &f->g->r;
    unsigned n = (unsigned)ZydisRegisterGetId(o->mem.index) & 15;
    bool wide = f->i->z.mnemonic == ZYDIS_MNEMONIC_VGATHERQPD ||
                f->i->z.mnemonic == ZYDIS_MNEMONIC_VGATHERQPS ||
                f->i->z.mnemonic == ZYDIS_MNEMONIC_VPGATHERQQ ||
                f->i->z.mnemonic == ZYDIS_MNEMONIC_VPGATHERQD;

    if (o->mem.base && take_reg(f, o->mem.base))
        set_reg(f->s, o->mem.base, want - (uint64_t)o->mem.disp.value);
    for (unsigned k = 0; k < 32; k += wide ? 8 : 4) {
        int64_t v = (int64_t)below(r, 256) - 128;
        if (!o->mem.base)
            v += (int64_t)((want - (uint64_t)o->mem.disp.value) / o->mem.scale);
        memcpy(f->s->ymm[n] + k, &v, wide ? 8 : 4);
    }
}

/* Chooses registers so that operand O lies at a good address, if they are free. */
static void fit_memory(struct fit *f, const ZydisDecodedOperand *o)
{
    struct gen *g = f->g;
    unsigned bits = g->forms->bits, size = operand_size(f->i, o);
    bool low = bits == 32 || f->i->z.address_width < 64;
    uint64_t want = pick_address(g, size, low), v;

    want -= gen_seg_base(bits, o->mem.segment);
    if (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB) {
        fit_vsib(f, o, want);
        return;
    }
    if (o->mem.base == ZYDIS_REGISTER_RSP && (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
        o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        want += size;
    want -= (uint64_t)o->mem.disp.value;
    uint64_t scale = o->mem.index ? o->mem.scale : 0;
    if (o->mem.base && o->mem.index == o->mem.base) {
        if (take_reg(f, o->mem.base))
            set_reg(f->s, o->mem.base, want / (scale + 1));
        return;
    }
    if (o->mem.index && !o->mem.base) {
        if (take_reg(f, o->mem.index))
            set_reg(f->s, o->mem.index, want / scale);
        return;
    }
    if (o->mem.index && below(&g->r, 4) && take_reg(f, o->mem.index)) {
        v = (uint64_t)((int64_t)below(&g->r, 512) - 256);
        set_reg(f->s, o->mem.index, v);
    }
    if (o->mem.base && take_reg(f, o->mem.base))
        set_reg(f->s, o->mem.base, want - scale * reg_value(f->s, o->mem.index));
}

/* Where memory operand O is now, or -1: not in the data. */
static int data_of(const struct fit *f, const ZydisDecodedOperand *o)
{
    uint64_t a = (uint64_t)o->mem.disp.value;

    if (o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP)
        a += f->i->addr + f->i->z.length;
    else
        a += reg_value(f->s, o->mem.base);
    a += o->mem.scale * reg_value(f->s, o->mem.index);
    if (f->i->z.address_width < 64)
        a &= (1ull << f->i->z.address_width) - 1;
    a += gen_seg_base(f->g->forms->bits, o->mem.segment);
    int at = case_data_at(f->g->forms->bits == 64 ? a : (uint32_t)a);
    return at >= 0 && at < (int)CASE_DATA_SIZE - 16 ? at : -1;
}

static const ZydisDecodedOperand *memory_operand(const struct gen_insn *i)
{
    for (unsigned n = 0; n < i->z.operand_count; n++) {
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            i->op[n].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            return &i->op[n];
    }
    return NULL;
}

/* Where an indirect branch goes. */
static void fit_target(struct fit *f)
{
    struct rng *r = &f->g->r;
    uint64_t target = below(r, 16) ? f->i->near + below(r, 8) : value_int(r);
    const ZydisDecodedOperand *o = &f->i->op[0], *m = memory_operand(f->i);
    int at = m ? data_of(f, m) : -1;

    if (f->i->z.mnemonic != ZYDIS_MNEMONIC_RET && o->type == ZYDIS_OPERAND_TYPE_REGISTER)
        set_reg(f->s, o->reg.value, target);
    else if (at >= 0 &&
             (f->i->z.mnemonic == ZYDIS_MNEMONIC_RET || o->type == ZYDIS_OPERAND_TYPE_MEMORY))
        memcpy(f->data + at, &target, f->g->forms->bits / 8);
}

/* Flags on their way into EFLAGS: no single-stepping, no alignment checks. */
static void fit_flags(struct fit *f)
{
    const ZydisDecodedOperand *m = memory_operand(f->i);
    int at = m ? data_of(f, m) : -1;
    uint32_t v = (uint32_t)next(&f->g->r) & (below(&f->g->r, 2) ? 0xcd5 : 0xc0bed5 | 0x4000);

    if (at >= 0)
        memcpy(f->data + at, &v, 4);
}

/* What is loaded into a segment register. */
static void fit_selector(struct fit *f)
{
    static const uint16_t selectors[] = {0x2b, 0x23, 0x28, 0, 3, 0x2a, 0x1b, 0x33};
    const struct gen_insn *i = f->i;
    const ZydisDecodedOperand *m = memory_operand(i);
    /* The guest without long mode has no 64-bit code segment. */
    uint16_t v = selectors[below(&f->g->r, f->g->forms->bits == 64 ? 8 : 7)];
    int at = m ? data_of(f, m) : -1;

    if (i->op[0].type != ZYDIS_OPERAND_TYPE_REGISTER ||
        ZydisRegisterGetClass(i->op[0].reg.value) != ZYDIS_REGCLASS_SEGMENT ||
        below(&f->g->r, 8) == 0)
        return;
    if (at >= 0)
        memcpy(f->data + at, &v, 2);
    else if (i->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER)
        set_reg(f->s, i->op[1].reg.value, v);
}

/* The header that XRSTOR accepts (SDM 1 13.8), and an MXCSR that it and FXRSTOR do. */
static void fit_saved_state(struct fit *f, bool header)
{
    const ZydisDecodedOperand *m = memory_operand(f->i);
    int at = m ? data_of(f, m) : -1;

    if (at < 0 || at + 1024 > (int)CASE_LOW_SIZE || below(&f->g->r, 8) == 0)
        return;
    unsigned mxcsr = m->size == 32 ? 0 : 24;
    f->data[at + mxcsr + 2] = f->data[at + mxcsr + 3] = 0;
    if (header) {
        memset(f->data + at + 512, 0, 64);
        f->data[at + 512] = (uint8_t)below(&f->g->r, 8);
    }
}

static void fit_divide(struct fit *f)
{
    struct rng *r = &f->g->r;

    if (below(r, 3) == 0)
        return;
    f->s->gpr[RDX] = below(r, 2) ? below(r, 3) : (uint64_t)((int64_t)f->s->gpr[RAX] >> 63);
    if (f->i->op[0].size == 8)
        f->s->gpr[RAX] = (uint64_t)(int64_t)(int8_t)value_int(r);
}

static void fit_compare(struct fit *f)
{
    const ZydisDecodedOperand *o = &f->i->op[0];
    int at = o->type == ZYDIS_OPERAND_TYPE_MEMORY ? data_of(f, o) : -1;

    if (below(&f->g->r, 2))
        return;
    if (f->i->z.mnemonic != ZYDIS_MNEMONIC_CMPXCHG && at >= 0) {
        unsigned half = o->size / 16;
        memcpy(f->data + at, &f->s->gpr[RAX], half);
        memcpy(f->data + at + half, &f->s->gpr[RDX], half);
    } else if (at >= 0) {
        memcpy(f->data + at, &f->s->gpr[RAX], o->size / 8);
    } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        set_reg(f->s, o->reg.value, f->s->gpr[RAX]);
    }
}

/* What single instructions want beyond addresses. */
static void fit_special(struct fit *f)
{
    struct rng *r = &f->g->r;

    if (f->i->z.attributes &
        (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        set_reg(f->s,
                f->i->z.address_width == 64   ? ZYDIS_REGISTER_RCX
                : f->i->z.address_width == 32 ? ZYDIS_REGISTER_ECX
                                              : ZYDIS_REGISTER_CX,
                below(r, 3) ? below(r, 8) : below(r, 41));
    switch (f->i->z.mnemonic) {
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET: fit_target(f); break;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ: fit_flags(f); break;
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_POP: fit_selector(f); break;
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV: fit_divide(f); break;
    case ZYDIS_MNEMONIC_CMPXCHG:
    case ZYDIS_MNEMONIC_CMPXCHG8B:
    case ZYDIS_MNEMONIC_CMPXCHG16B: fit_compare(f); break;
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ:
        if (below(r, 2))
            f->s->gpr[RCX] = below(r, 3) | (below(r, 2) ? 0 : 0x1234567800000000u);
        break;
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64: fit_saved_state(f, true); break;
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_LDMXCSR:
    case ZYDIS_MNEMONIC_VLDMXCSR: fit_saved_state(f, false); break;
    default: break;
    }
}

/* BT and its kin reach beyond their operand: bit offsets stay near it. */
static bool has_bit_offset(const struct gen_insn *i)
{
    return (i->z.mnemonic == ZYDIS_MNEMONIC_BT || i->z.mnemonic == ZYDIS_MNEMONIC_BTS ||
            i->z.mnemonic == ZYDIS_MNEMONIC_BTR || i->z.mnemonic == ZYDIS_MNEMONIC_BTC) &&
           i->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
           i->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER;
}

bool gen_has_mask(ZydisMnemonic mnemonic)
{
    const char *name = ZydisMnemonicGetString(mnemonic);
    return !strncmp(name, "xsave", 5) || !strncmp(name, "xrstor", 6);
}

bool gen_stores_model(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_FXSAVE || mnemonic == ZYDIS_MNEMONIC_FXSAVE64;
}

void gen_fit(struct gen *g, const struct gen_insn *i, struct case_state *s, uint8_t *data)
{
    struct fit f = {g, i, s, data, 0};

    s->fs_base = CASE_FS_BASE32;
    s->gs_base = gen_seg_base(g->forms->bits, ZYDIS_REGISTER_GS);
    s->rip = i->addr;
    if (has_bit_offset(i) && below(&g->r, 8))
        set_reg(s, i->op[1].reg.value, (uint64_t)((int64_t)below(&g->r, 2048) - 1024));
    for (unsigned n = 0; n < i->z.operand_count; n++) {
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            i->op[n].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            fit_memory(&f, &i->op[n]);
    }
    if (gen_has_mask(i->z.mnemonic)) {
        s->gpr[RAX] = (s->gpr[RAX] & ~0xffffffffull) | below(&g->r, 8);
        s->gpr[RDX] &= ~0xffffffffull;
    }
    fit_special(&f);
}
