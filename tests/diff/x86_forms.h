/* The instructions that the random tests are made of: every encoding of every mnemonic that the
 * guest has a row for, found by decoding all opcodes with all that selects among them. Encodings
 * with the same operands are one bucket, and buckets are drawn equally often. */
#ifndef TESTS_DIFF_X86_FORMS_H
#define TESTS_DIFF_X86_FORMS_H

#include <Zydis/Zydis.h>
#include "x86_case.h"

/* One opcode with what selects the instruction. */
struct form {
    uint8_t map, opcode, prefix; /* PREFIX: 0, 0x66, 0xf3, 0xf2 */
    uint8_t modrm;
    bool vex, w, has_modrm, any_rm;
    uint8_t l;
};

struct bucket {
    ZydisMnemonic mnemonic;
    uint64_t signature; /* of the operands */
    char text[64];      /* of one of them */
    struct form *forms;
    unsigned nforms;
    uint64_t cases;
    uint32_t failures;
};

struct forms {
    unsigned bits;
    ZydisDecoder decoder;
    struct bucket *at;
    unsigned n;
};

/* False: no memory. */
bool forms_build(struct forms *, unsigned bits);
void forms_free(struct forms *);
/* All operands, hidden ones too. */
bool forms_decode(const struct forms *, const uint8_t *bytes, size_t size,
                  ZydisDecodedInstruction *, ZydisDecodedOperand *);

#endif
