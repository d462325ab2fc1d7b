/* Decoding by Zydis, and what a CPU model makes of it. */
#include "guest/x86/decode.h"

/* What the instructions of Zydis's sets need, plus 1. Sets without an entry, AVX-512's among them,
 * no model has. */
static const uint8_t isa_needs[ZYDIS_ISA_SET_MAX_VALUE + 1] = {
#define NEEDS(set, feature) [ZYDIS_ISA_SET_##set] = 1 + X86_F_##feature,
    // clang-format off
    NEEDS(ADOX_ADCX, ADX) NEEDS(AES, AES) NEEDS(AMD, BASE) NEEDS(AMD3DNOW, BASE) NEEDS(AVX, AVX)
    NEEDS(AVX2, AVX2) NEEDS(AVX2GATHER, AVX2) NEEDS(AVXAES, AES) NEEDS(AVX_GFNI, GFNI)
    NEEDS(BMI1, BMI1) NEEDS(BMI2, BMI2) NEEDS(CET, BASE) NEEDS(CLDEMOTE, BASE)
    NEEDS(CLFLUSHOPT, CLFLUSHOPT) NEEDS(CLFSH, CLFSH) NEEDS(CLWB, CLWB) NEEDS(CMOV, CMOV)
    NEEDS(CMPXCHG16B, CX16) NEEDS(F16C, F16C) NEEDS(FAT_NOP, BASE) NEEDS(FCMOV, CMOV)
    NEEDS(FMA, FMA) NEEDS(FXSAVE, FXSR) NEEDS(FXSAVE64, FXSR) NEEDS(GFNI, GFNI) NEEDS(I186, BASE)
    NEEDS(I286PROTECTED, BASE) NEEDS(I286REAL, BASE) NEEDS(I386, BASE) NEEDS(I486, BASE)
    NEEDS(I486REAL, BASE) NEEDS(I86, BASE) NEEDS(INVPCID, INVPCID) NEEDS(LAHF, BASE)
    NEEDS(LONGMODE, LM) NEEDS(LZCNT, LZCNT) NEEDS(MONITOR, MONITOR) NEEDS(MOVBE, MOVBE)
    NEEDS(PAUSE, BASE) NEEDS(PCLMULQDQ, PCLMUL) NEEDS(PENTIUMMMX, MMX) NEEDS(PENTIUMREAL, BASE)
    NEEDS(POPCNT, POPCNT) NEEDS(PPRO, BASE) NEEDS(PREFETCHWT1, BASE) NEEDS(PREFETCH_NOP, BASE)
    NEEDS(RDPID, RDPID) NEEDS(RDPMC, BASE) NEEDS(RDRAND, RDRAND) NEEDS(RDSEED, RDSEED)
    NEEDS(RDTSCP, RDTSCP) NEEDS(RDWRFSGS, FSGSBASE) NEEDS(SHA, SHA) NEEDS(SMAP, SMAP)
    NEEDS(SSE, SSE) NEEDS(SSE2, SSE2) NEEDS(SSE2MMX, SSE2) NEEDS(SSE3, SSE3) NEEDS(SSE3X87, SSE3)
    NEEDS(SSE4, SSE41) NEEDS(SSE42, SSE42) NEEDS(SSE4A, SSE4A) NEEDS(SSEMXCSR, SSE)
    NEEDS(SSE_PREFETCH, SSE) NEEDS(SSSE3, SSSE3) NEEDS(SSSE3MMX, SSSE3) NEEDS(SVM, BASE)
    NEEDS(VAES, VAES) NEEDS(VPCLMULQDQ, VPCLMUL) NEEDS(VTX, BASE) NEEDS(X87, X87)
    NEEDS(XSAVE, XSAVE) NEEDS(XSAVEC, XSAVEC) NEEDS(XSAVEOPT, XSAVEOPT) NEEDS(XSAVES, XSAVES)
// clang-format on
#undef NEEDS
};

enum x86_feature x86_isa_feature(ZydisISASet set)
{
    return isa_needs[set] ? isa_needs[set] - 1 : X86_F_NEVER;
}

void x86_decoder_init(ZydisDecoder *d, unsigned bits, bool real, const struct x86_model *model)
{
    ZydisMachineMode mode = bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                            : bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                            : real       ? ZYDIS_MACHINE_MODE_REAL_16
                                         : ZYDIS_MACHINE_MODE_LEGACY_16;
    ZydisDecoderInit(d, mode,
                     bits == 64   ? ZYDIS_STACK_WIDTH_64
                     : bits == 32 ? ZYDIS_STACK_WIDTH_32
                                  : ZYDIS_STACK_WIDTH_16);
    ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
    ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_KNC, ZYAN_FALSE);
    if (!x86_model_has(model, X86_F_LZCNT))
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_LZCNT, ZYAN_FALSE);
    if (!x86_model_has(model, X86_F_BMI1))
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_TZCNT, ZYAN_FALSE);
    if (model->vendor == X86_VENDOR_AMD)
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
}

/* Zydis 4.0 reports r13d as the base of an address of 32 bits in 64-bit code that has none: mod 0
 * and SIB base 5 with REX.B (SDM 2A table 2-3). */
static void repair_base(struct x86_insn *i)
{
    bool no_base =
        i->z.attributes & ZYDIS_ATTRIB_HAS_SIB && i->z.raw.modrm.mod == 0 && i->z.raw.sib.base == 5;
    for (unsigned n = 0; no_base && n < i->z.operand_count; n++) {
        ZydisDecodedOperandMem *m = &i->op[n].mem;
        if (i->op[n].type != ZYDIS_OPERAND_TYPE_MEMORY ||
            i->op[n].encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM)
            continue;
        m->base = ZYDIS_REGISTER_NONE;
        m->disp.has_displacement = ZYAN_TRUE;
        m->disp.value = i->z.raw.disp.value;
    }
}

/* VPEXTRQ and VPINSRQ, which Zydis takes for the D forms outside 64-bit code. */
static bool needs_wide_code(const struct x86_insn *i)
{
    return (i->z.mnemonic == ZYDIS_MNEMONIC_VPEXTRD || i->z.mnemonic == ZYDIS_MNEMONIC_VPINSRD) &&
           i->z.raw.vex.W && i->z.machine_mode != ZYDIS_MACHINE_MODE_LONG_64;
}

/* F3 REX.B 90 is an exchange with r8, which Zydis takes for PAUSE: decodes it with a prefix that
 * means nothing instead. */
static ZyanStatus decode_exchange(const ZydisDecoder *d, ZydisDecoderContext *context,
                                  const uint8_t *bytes, struct x86_insn *out)
{
    uint8_t copy[X86_MAX_INSN];
    unsigned size = out->z.length;
    for (unsigned n = 0; n < size; n++)
        copy[n] = bytes[n] == 0xf3 ? 0x2e : bytes[n];
    return ZydisDecoderDecodeInstruction(d, context, copy, size, &out->z);
}

/* SYSENTER and SYSEXIT exist in real and virtual-8086 mode too, if only to fault there. Zydis does
 * not have them. */
static ZyanStatus decode_sysenter(const ZydisDecoder *d, ZydisDecoderContext *context,
                                  const uint8_t *bytes, unsigned size, struct x86_insn *out)
{
    ZydisDecoder legacy = *d;
    legacy.machine_mode = ZYDIS_MACHINE_MODE_LEGACY_16;
    ZyanStatus status = ZydisDecoderDecodeInstruction(&legacy, context, bytes, size, &out->z);
    bool wanted = ZYAN_SUCCESS(status) && (out->z.mnemonic == ZYDIS_MNEMONIC_SYSENTER ||
                                           out->z.mnemonic == ZYDIS_MNEMONIC_SYSEXIT);
    return wanted ? status : ZYDIS_STATUS_DECODING_ERROR;
}

enum x86_decode_status x86_decode(const ZydisDecoder *d, const struct x86_model *model,
                                  const uint8_t *bytes, unsigned size, struct x86_insn *out)
{
    ZydisDecoderContext context;
    ZyanStatus status = ZydisDecoderDecodeInstruction(d, &context, bytes, size, &out->z);

    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return size < X86_MAX_INSN ? X86_DECODE_SHORT : X86_DECODE_LONG;
    if (status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
        return X86_DECODE_LONG;
    if (!ZYAN_SUCCESS(status) && d->machine_mode == ZYDIS_MACHINE_MODE_REAL_16)
        status = decode_sysenter(d, &context, bytes, size, out);
    if (ZYAN_SUCCESS(status) && out->z.mnemonic == ZYDIS_MNEMONIC_PAUSE && out->z.raw.rex.B)
        status = decode_exchange(d, &context, bytes, out);
    if (!ZYAN_SUCCESS(status))
        return X86_DECODE_INVALID;
    out->row = x86_row_of(out->z.mnemonic);
    enum x86_feature need = x86_isa_feature(out->z.meta.isa_set);
    if (!out->row || (need != X86_F_BASE && !x86_model_has(model, need)))
        return X86_DECODE_INVALID;
    status = ZydisDecoderDecodeOperands(d, &context, &out->z, out->op, out->z.operand_count);
    if (!ZYAN_SUCCESS(status))
        return X86_DECODE_INVALID;
    if (needs_wide_code(out))
        return X86_DECODE_INVALID;
    repair_base(out);
    return X86_DECODED;
}
