#include "x86_seq.h"

#include <string.h>
#include "x86_values.h"

/* Registers that begin as pointers into the data. */
#define POINTERS64 (1u << RBX | 1u << RBP | 1u << RSI | 1u << RDI | 1u << RSP | 1u << 12 | 1u << 13)
#define POINTERS32 (1u << RBX | 1u << RBP | 1u << RSI | 1u << RDI | 1u << RSP)

static uint32_t first_pointers(const struct gen *g)
{
    return g->forms->bits == 64 ? POINTERS64 : POINTERS32;
}

static uint32_t bit_of(ZydisRegister r)
{
    switch (ZydisRegisterGetClass(r)) {
    case ZYDIS_REGCLASS_GPR8:
        if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
            return 1u << (r - ZYDIS_REGISTER_AH);
        return 1u << (ZydisRegisterGetId(r) >= 8 && r >= ZYDIS_REGISTER_SPL
                          ? ZydisRegisterGetId(r) - 4
                          : ZydisRegisterGetId(r)) %
                         16;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return 1u << ZydisRegisterGetId(r);
    default: return 0;
    }
}

static bool reaches_data(const struct gen *g, const ZydisDecodedInstruction *z,
                         const ZydisDecodedOperand *o, uint32_t pointers)
{
    int64_t disp = o->mem.disp.value;

    if (o->mem.type == ZYDIS_MEMOP_TYPE_AGEN)
        return true;
    if (o->mem.base == ZYDIS_REGISTER_RIP || (!o->mem.base && !o->mem.index))
        return true;
    return z->address_width == g->forms->bits && !o->mem.index && bit_of(o->mem.base) & pointers &&
           gen_seg_base(g->forms->bits, o->mem.segment) == 0 && disp > -0x300 && disp < 0x300;
}

/* Pointers that I overwrites; those of its hidden operands only move a little. */
static uint32_t spoils(const struct gen_insn *i)
{
    uint32_t mask = 0;

    for (unsigned n = 0; n < i->z.operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        bool step = o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
                    (bit_of(o->reg.value) & (1u << RSP | 1u << RSI | 1u << RDI));
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && !step &&
            o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            mask |= bit_of(o->reg.value);
    }
    return mask;
}

static bool forward_branch(const struct gen_insn *i)
{
    return i->z.raw.imm[0].is_relative && i->z.mnemonic != ZYDIS_MNEMONIC_CALL &&
           i->z.operand_width >= 32;
}

/* Mostly ends the block with a fault. */
static bool ends_block(const struct gen_insn *i)
{
    bool vex = i->z.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;

    switch (i->z.meta.category) {
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_SYSRET: return true;
    default: break;
    }
    for (unsigned n = 0; n < i->z.operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        ZydisRegisterClass class = ZydisRegisterGetClass(o->reg.value);
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            (class == ZYDIS_REGCLASS_SEGMENT || class == ZYDIS_REGCLASS_CONTROL ||
             class == ZYDIS_REGCLASS_DEBUG))
            return true;
        /* SSE wants aligned operands, and pointers mostly are. */
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->size == 128 && !vex &&
            o->mem.disp.value & 15)
            return true;
    }
    switch (i->z.mnemonic) {
    case ZYDIS_MNEMONIC_CLI:
    case ZYDIS_MNEMONIC_STI:
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ:
    case ZYDIS_MNEMONIC_LEAVE:
    case ZYDIS_MNEMONIC_ENTER: return true;
    default: return false;
    }
}

static bool is_iret(const struct gen_insn *i)
{
    return i->z.mnemonic == ZYDIS_MNEMONIC_IRET || i->z.mnemonic == ZYDIS_MNEMONIC_IRETD ||
           i->z.mnemonic == ZYDIS_MNEMONIC_IRETQ;
}

static bool suits(struct gen *g, const struct gen_insn *i, uint32_t *pointers)
{
    uint32_t spoilt = spoils(i) & *pointers;

    if ((i->z.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || is_iret(i)) && !forward_branch(i))
        return false;
    if (gen_has_mask(i->z.mnemonic) || gen_stores_model(i->z.mnemonic))
        return false;
    if (i->z.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        return false;
    for (unsigned n = 0; n < i->z.operand_count; n++) {
        if (i->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            !reaches_data(g, &i->z, &i->op[n], *pointers) && below(&g->r, 64))
            return false;
    }
    if (ends_block(i) && below(&g->r, 32))
        return false;
    if (spoilt && below(&g->r, 24))
        return false;
    *pointers &= ~spoilt;
    return true;
}

bool seq_is_core(const struct forms *f, const struct bucket *b)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t code[15] = {0};
    const struct form *form = &b->forms[0];
    unsigned n = 0;

    if (form->vex)
        return false;
    if (form->prefix)
        code[n++] = form->prefix;
    if (form->w)
        code[n++] = 0x48;
    if (form->map)
        code[n++] = 0x0f;
    if (form->map > 1)
        return false;
    code[n++] = form->opcode;
    code[n++] = form->modrm;
    if (!forms_decode(f, code, 15, &z, ops))
        return false;
    switch (z.meta.category) {
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_FLAGOP:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_MISC:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_SHIFT: return true;
    default: return false;
    }
}

/* Points the branches at later instructions, or at the end. */
static void resolve(struct gen *g, struct seq *s)
{
    for (unsigned k = 0; k < s->n; k++) {
        struct gen_insn *i = &s->insn[k];
        unsigned to = k + 1 + below(&g->r, 4);
        uint64_t end = s->insn[s->n - 1].addr + s->insn[s->n - 1].z.length;

        if (!i->z.raw.imm[0].is_relative)
            continue;
        uint64_t target = to < s->n ? s->insn[to].addr : end;
        int64_t disp = (int64_t)(target - (i->addr + i->z.length));
        if (i->z.raw.imm[0].size == 8 && disp > 127)
            disp = 0;
        memcpy(i->bytes + i->z.raw.imm[0].offset, &disp, i->z.raw.imm[0].size / 8);
        forms_decode(g->forms, i->bytes, 15, &i->z, i->op);
    }
}

void seq_build(struct gen *g, const unsigned *core, unsigned ncore, uint64_t addr, struct seq *out)
{
    uint32_t pointers = first_pointers(g);
    unsigned wanted = 2 + below(&g->r, SEQ_MAX - 1);

    out->n = out->size = 0;
    for (unsigned tries = 0; tries < 2000 && out->n < wanted; tries++) {
        struct gen_insn *i = &out->insn[out->n];
        unsigned b =
            below(&g->r, 2) && ncore ? core[below(&g->r, ncore)] : below(&g->r, g->forms->n);

        i->addr = addr + out->size;
        i->near = addr + SEQ_SIZE;
        if (!gen_encode(g, &g->forms->at[b], i) || !suits(g, i, &pointers))
            continue;
        if (out->size + i->z.length > SEQ_SIZE)
            break;
        g->forms->at[b].cases++;
        out->size += i->z.length;
        out->n++;
    }
    resolve(g, out);
}

void seq_fit(struct gen *g, const struct seq *seq, struct case_state *s, uint8_t *data)
{
    uint32_t pointers = first_pointers(g);

    (void)data;
    s->fs_base = CASE_FS_BASE32;
    s->gs_base = gen_seg_base(g->forms->bits, ZYDIS_REGISTER_GS);
    s->rip = seq->insn[0].addr;
    for (unsigned n = 0; n < 16; n++) {
        if (pointers >> n & 1)
            s->gpr[n] = CASE_LOW + 0x400 + (below(&g->r, 0x1800) & (below(&g->r, 4) ? ~31u : ~0u));
    }
    /* What was left undone must not end everything. */
    s->fpcw |= below(&g->r, 8) ? 63 : 0;
    s->mxcsr |= below(&g->r, 8) ? 0x1f80 : 0;
}
