/* Decoded instructions: Zydis's result and the row that says how to lift it. */
#ifndef GUEST_X86_DECODE_H
#define GUEST_X86_DECODE_H

#include <Zydis/Zydis.h>
#include "guest/x86/model.h"

struct x86_lift;
struct x86_insn;

/* Lifts one instruction; see lift.h. */
typedef void x86_lift_fn(struct x86_lift *, const struct x86_insn *);

/* One row per mnemonic, from the insn_*.inc files. */
struct x86_row {
    x86_lift_fn *lift;
    uint32_t arg; /* what tells instructions apart that share a lift function */
};

struct x86_insn {
    ZydisDecodedInstruction z;
    /* Explicit operands first, then the implicit ones, as Zydis orders them. */
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    const struct x86_row *row;
};

#define X86_MAX_INSN 15 /* bytes, SDM 2A 2.3.11 */

enum x86_decode_status {
    X86_DECODED,
    X86_DECODE_SHORT,   /* more bytes are needed */
    X86_DECODE_INVALID, /* no instruction of this model: #UD */
    X86_DECODE_LONG,    /* more than 15 bytes: #GP(0) */
};

/* BITS: size of code, 16, 32 or 64. REAL: real or virtual-8086 mode. */
void x86_decoder_init(ZydisDecoder *, unsigned bits, bool real, const struct x86_model *);
/* Decodes at most SIZE bytes. With X86_DECODED all of OUT is set. */
enum x86_decode_status x86_decode(const ZydisDecoder *, const struct x86_model *, const uint8_t *bytes,
                                  unsigned size, struct x86_insn *out);

/* The row of a mnemonic; null: no such instruction here. */
const struct x86_row *x86_row_of(ZydisMnemonic);
/* What an instruction of ISA_SET needs. */
enum x86_feature x86_isa_feature(ZydisISASet);

#endif
