#include "x86_forms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guest/x86/decode.h"
#include "x86_skips.h"

bool forms_decode(const struct forms *f, const uint8_t *bytes, size_t size,
                  ZydisDecodedInstruction *z, ZydisDecodedOperand *ops)
{
    ZydisDecoderContext c;

    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&f->decoder, &c, bytes, size, z)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&f->decoder, &c, z, ops, z->operand_count));
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

/* What tells operands apart: kind, size, place; implicit registers by their numbers. */
static uint64_t signature(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops)
{
    uint64_t h = mix(z->mnemonic, z->encoding);

    for (unsigned i = 0; i < z->operand_count; i++) {
        const ZydisDecodedOperand *o = &ops[i];
        h = mix(h, (uint64_t)o->type << 40 | (uint64_t)o->encoding << 32 |
                       (uint64_t)o->actions << 24 | o->size);
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && o->encoding == ZYDIS_OPERAND_ENCODING_NONE)
            h = mix(h, o->reg.value);
        else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER)
            h = mix(h, ZydisRegisterGetClass(o->reg.value));
    }
    return mix(h, z->address_width);
}

static void describe(struct bucket *b, const ZydisDecodedInstruction *z,
                     const ZydisDecodedOperand *ops)
{
    static const char kinds[] = "-rmpi";
    int n = snprintf(b->text, sizeof b->text, "%s%s", ZydisMnemonicGetString(z->mnemonic),
                     z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ? " vex" : "");

    for (unsigned i = 0; i < z->operand_count && n < (int)sizeof b->text - 8; i++) {
        if (ops[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            continue;
        n += snprintf(b->text + n, sizeof b->text - (size_t)n, " %c%u", kinds[ops[i].type],
                      ops[i].size);
    }
}

/* Is FORM one that we have, with a prefix that means nothing? */
static bool redundant(const struct bucket *b, const struct form *form,
                      const ZydisDecodedInstruction *z)
{
    if (form->vex || !form->prefix ||
        z->attributes & (ZYDIS_ATTRIB_ACCEPTS_REP | ZYDIS_ATTRIB_ACCEPTS_REPE))
        return false;
    for (unsigned i = 0; i < b->nforms; i++) {
        const struct form *o = &b->forms[i];
        if (o->opcode == form->opcode && o->map == form->map && o->w == form->w &&
            o->modrm == form->modrm)
            return true;
    }
    return false;
}

static bool add(struct forms *f, const struct form *form, const ZydisDecodedInstruction *z,
                const ZydisDecodedOperand *ops)
{
    uint64_t h = signature(z, ops);
    unsigned i = 0;

    while (i < f->n && f->at[i].signature != h)
        i++;
    if (i == f->n) {
        if (f->n % 256 == 0) {
            struct bucket *more = realloc(f->at, (f->n + 256) * sizeof *more);
            if (!more)
                return false;
            f->at = more;
        }
        f->at[f->n++] = (struct bucket){.mnemonic = z->mnemonic, .signature = h};
        describe(&f->at[i], z, ops);
    }
    struct bucket *b = &f->at[i];
    if (redundant(b, form, z))
        return true;
    if ((b->nforms & (b->nforms - 1)) == 0) {
        struct form *more = realloc(b->forms, (b->nforms ? 2 * b->nforms : 1) * sizeof *more);
        if (!more)
            return false;
        b->forms = more;
    }
    b->forms[b->nforms++] = *form;
    return true;
}

/* The bytes of FORM with registers as they come; what follows is 0. */
static unsigned plain_bytes(const struct form *form, uint8_t *b)
{
    unsigned n = 0;

    if (form->vex) {
        static const uint8_t pp[] = {0x66, 0xf3, 0xf2};
        unsigned p = 0;
        for (unsigned i = 0; i < 3; i++)
            p |= form->prefix == pp[i] ? i + 1 : 0;
        b[n++] = 0xc4;
        b[n++] = (uint8_t)(0xe0 | form->map);
        b[n++] = (uint8_t)(form->w << 7 | 15 << 3 | form->l << 2 | p);
    } else {
        if (form->prefix)
            b[n++] = form->prefix;
        if (form->w)
            b[n++] = 0x48;
        if (form->map)
            b[n++] = 0x0f;
        if (form->map > 1)
            b[n++] = form->map == 2 ? 0x38 : 0x3a;
    }
    b[n++] = form->opcode;
    b[n++] = form->modrm;
    return n;
}

/* Decodes FORM; VEX.vvvv is 15 first, then another register where that is no instruction. */
static bool try_form(struct forms *f, const struct form *form, ZydisDecodedInstruction *z,
                     ZydisDecodedOperand *ops)
{
    uint8_t b[32] = {0};
    unsigned n = plain_bytes(form, b);

    /* Gathers want three different registers. */
    if (form->vex && form->has_modrm && (form->modrm & 7) == 4)
        b[n] = 0x28;
    if (forms_decode(f, b, 15, z, ops))
        return true;
    if (!form->vex)
        return false;
    b[2] = (uint8_t)((b[2] & 0x87) | 12 << 3);
    return forms_decode(f, b, 15, z, ops);
}

static bool wanted(const ZydisDecodedInstruction *z)
{
    enum x86_feature need = x86_isa_feature(z->meta.isa_set);

    return x86_row_of(z->mnemonic) && !skip_reason(z->mnemonic) &&
           (need == X86_F_BASE || x86_model_has(x86_model_find(NULL), need));
}

/* With registers, these opcodes begin VEX and EVEX instructions. */
static bool is_long_prefix(const struct form *form)
{
    return !form->vex && form->map == 0 &&
           (form->opcode == 0xc4 || form->opcode == 0xc5 || form->opcode == 0x62);
}

/* All ModRM bytes that matter for an opcode. */
static bool add_opcode(struct forms *f, struct form form)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    bool escape = !form.vex && ((form.map == 0 && (form.opcode & 0xf8) == 0xd8) ||
                                (form.map == 1 && (form.opcode == 0x01 || form.opcode == 0xae ||
                                                   form.opcode == 0xc7 || form.opcode == 0x1e)));
    for (unsigned modrm = 0; modrm < 256; modrm++) {
        unsigned mod = modrm >> 6, rm = modrm & 7;
        /* Memory is rm 4, with a SIB byte, which the VSIB forms need. */
        if (mod == 1 || mod == 2 || (mod == 0 && rm != 4) || (mod == 3 && rm && !escape))
            continue;
        if (mod == 3 && is_long_prefix(&form))
            continue;
        form.modrm = (uint8_t)modrm;
        form.has_modrm = true;
        form.any_rm = mod != 3 || !escape;
        if (!try_form(f, &form, &z, ops))
            continue;
        form.has_modrm = z.attributes & ZYDIS_ATTRIB_HAS_MODRM;
        if (wanted(&z) && !add(f, &form, &z, ops))
            return false;
        if (!form.has_modrm)
            break;
    }
    return true;
}

static bool is_prefix(unsigned bits, const struct form *form)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};
    if (form->map == 1 && (form->opcode == 0x38 || form->opcode == 0x3a || form->opcode == 0x0f))
        return true;
    if (form->map || form->vex)
        return false;
    return form->opcode == 0x0f || memchr(prefixes, form->opcode, sizeof prefixes) ||
           (bits == 64 && ((form->opcode & 0xf0) == 0x40 || is_long_prefix(form)));
}

bool forms_build(struct forms *f, unsigned bits)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};

    *f = (struct forms){.bits = bits};
    x86_decoder_init(&f->decoder, bits, false, x86_model_find(NULL));
    for (unsigned n = 0; n < 8 * 256 * 4 * 4; n++) {
        struct form form = {.opcode = (uint8_t)n, .prefix = prefixes[n >> 8 & 3]};
        form.map = n >> 10 & 3;
        form.w = n >> 12 & 1;
        form.vex = n >> 13 >= 1;
        form.l = n >> 13 >= 1 ? (uint8_t)((n >> 13) - 1) : 0;
        if (n >> 13 > 2 || (form.vex && !form.map) || is_prefix(bits, &form) ||
            (bits == 32 && form.w && !form.vex))
            continue;
        if (!add_opcode(f, form))
            return false;
    }
    return f->n > 0;
}

void forms_free(struct forms *f)
{
    for (unsigned i = 0; i < f->n; i++)
        free(f->at[i].forms);
    free(f->at);
}
